"""Coming and going: the link's token is posted, used up and becomes a session; signing out ends it."""

from starlette.responses import Response

from clavero.control.commit import perform
from clavero.control.signin import end_session, start_session
from clavero.domain.access import Actor
from clavero.domain.refusals import NotSignedIn
from clavero.domain.secret import Secret
from clavero.entrypoints.http.console.door import own_path, peer
from clavero.entrypoints.http.console.visit import Visit

_LONGEST = 200


async def ask(visit: Visit) -> Response:
    """The page that a link opens; without a link it says how to get one."""
    return _door(visit, "door.title", "door.how", next_path=own_path(visit.asked("next")))


async def sign_in(visit: Visit) -> Response:
    """Use the link up. What is wrong with one is not told apart: it is used, too old, or not ours."""
    link = visit.form.get("link", "")[:_LONGEST].strip()
    actor = Actor(id="owner", kind="user", address=peer(visit.request), level="link")
    try:
        _, secret = await perform(visit.desk, actor, start_session, link=Secret(link))
    except NotSignedIn:
        return _door(visit, "door.refused", "door.refused_why", status=401)
    response = visit.go(own_path(visit.form.get("next", "")))
    visit.console.door.let_in(visit.request, response, secret)
    return response


async def sign_out(visit: Visit) -> Response:
    """End the session here and in the browser."""
    if visit.session is not None:
        await visit.do(end_session, kid=visit.session.id)
    response = visit.go("/sign-in")
    visit.console.door.let_out(visit.request, response)
    return response


def _door(visit: Visit, title: str, text: str, *, status: int = 200, next_path: str = "/") -> Response:
    t = visit.words
    return visit.page(
        "door.html", status=status, title=t(title), text=t(text), command="clavero open", after=t("door.after"),
        home=False, signing=True, next=next_path, alarming=status != 200,
    )  # fmt: skip
