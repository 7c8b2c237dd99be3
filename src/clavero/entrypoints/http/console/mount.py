"""Where the pages stand, and what every one of them passes on its way: peer, origin, session, form, refusal."""

from collections.abc import Awaitable, Callable

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

from clavero.control.commit import Desk
from clavero.domain.refusals import Forbidden, NotFound, NotSignedIn, RecordDeleted, Refusal, StorageUnavailable
from clavero.entrypoints.http.console import (
    entry_pages,
    error_pages,
    home_page,
    key_acts,
    key_forms,
    key_pages,
    preference_pages,
    request_pages,
    request_tail,
)
from clavero.entrypoints.http.console.door import Door, Stranger, check_form
from clavero.entrypoints.http.console.request_views import address
from clavero.entrypoints.http.console.shelf import shelf
from clavero.entrypoints.http.console.views import remedy, said
from clavero.entrypoints.http.console.visit import HEADERS, Console, Visit
from clavero.entrypoints.http.tail import MEDIA_TYPE, Tail

Page = Callable[[Visit], Awaitable[Response]]

_OPEN: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/sign-in", entry_pages.ask),
    ("POST", "/sign-in", entry_pages.sign_in),
    ("GET", "/errors", error_pages.index),
    ("GET", "/errors/{code}", error_pages.show),
)
_PAGES: tuple[tuple[str, str, Page], ...] = (
    ("GET", "/", home_page.show),
    ("GET", "/find", home_page.find),
    ("GET", "/keys", key_pages.index),
    ("POST", "/keys", key_forms.make),
    ("GET", "/keys/new", key_forms.blank),
    ("GET", "/keys/new/name", key_forms.name_rule),
    ("POST", "/keys/new/able", key_forms.able),
    ("GET", "/keys/{name}", key_pages.show),
    ("POST", "/keys/{name}/budget", key_acts.set_limit),
    ("POST", "/keys/{name}/enable", key_acts.bring_back),
    ("POST", "/keys/{name}/transfer", key_acts.give_away),
    ("GET", "/keys/{name}/{verb}", key_acts.ask),
    ("POST", "/keys/{name}/{verb}", key_acts.act),
    ("GET", "/requests", request_pages.index),
    ("GET", "/requests/tail", request_tail.stream),
    ("GET", "/requests/{request_id}", request_pages.show),
    ("GET", "/preferences", preference_pages.show),
    ("POST", "/preferences", preference_pages.save),
    ("POST", "/preferences/theme", preference_pages.switch_theme),
    ("POST", "/sign-out", entry_pages.sign_out),
)
_STATUS: dict[type[Refusal], int] = {
    NotFound: 404,
    RecordDeleted: 410,
    Forbidden: 403,
    Stranger: 403,
    StorageUnavailable: 503,
}
_LARGEST_FORM = 64 * 1024


def mount(app: FastAPI, desk: Desk, *, gateway_url: str, tail: Tail | None = None) -> None:
    """Add the console to an application. `gateway_url` is told to callers; `tail` is what its lists follow."""
    console = Console(desk, Door(desk), gateway_url, tail or Tail(desk.clock))
    app.add_api_route("/static/{name:path}", _static, methods=["GET"], include_in_schema=False)
    for pages, guarded in ((_OPEN, False), (_PAGES, True)):
        for method, path, page in pages:
            app.add_api_route(path, _entered(console, page, guarded=guarded), methods=[method], include_in_schema=False)


def _entered(console: Console, page: Page, *, guarded: bool) -> Callable[[Request], Awaitable[Response]]:
    async def entered(request: Request) -> Response:
        visit = Visit(console, request)
        try:
            console.door.check_peer(request)
            if request.method == "POST":
                console.door.check_origin(request)
                visit.form = await _form(request)
            if guarded:
                visit.actor, visit.session = await console.door.enter(request)
                if request.method == "POST":
                    check_form(visit.session, visit.form.get("csrf", ""))
            return await page(visit)
        except NotSignedIn:
            if request.headers.get("accept") == MEDIA_TYPE:  # no page that it could be led to would be understood
                return request_tail.over(visit)
            here = address(request.scope["path"], dict(request.query_params)) if request.method == "GET" else "/"
            return visit.go(address("/sign-in", {"next": here} if here != "/" else {}))
        except Refusal as refusal:
            return _refused(visit, refusal)

    return entered


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form; files are none of ours."""
    if int(request.headers.get("content-length") or 0) > _LARGEST_FORM:
        raise Stranger("The form is too large", "Send less")
    async with request.form(max_files=0, max_fields=100, max_part_size=_LARGEST_FORM) as form:
        return {name: value for name, value in form.items() if isinstance(value, str)}


def _refused(visit: Visit, refusal: Refusal) -> Response:
    """What cannot be shown, and the way back; before the door a page without menu."""
    t = visit.words
    title, fix = said(refusal, t), remedy(refusal, t)
    status = _STATUS.get(type(refusal), 400)
    if visit.session is None:
        values = {"after": "", "home": False, "signing": False, "next": "/", "alarming": True}
        return visit.page("door.html", status=status, title=t("door.closed"), text=title, command=refusal.fix, **values)
    back = "/keys" if visit.request.scope["path"].startswith("/keys") else "/"
    back = "/requests" if visit.request.scope["path"].startswith("/requests") else back
    return visit.page("problem.html", status=status, title=title, fix=fix, back=back)


async def _static(name: str, request: Request) -> Response:
    """A shipped file; for ever where its address names its content."""
    file = shelf().get(name)
    if file is None:
        return Response(status_code=404, headers=HEADERS)
    forever = request.query_params.get("v") == file.digest
    keep = "public, max-age=31536000, immutable" if forever else "no-cache"
    return Response(file.body, headers=HEADERS | {"cache-control": keep}, media_type=file.media_type)
