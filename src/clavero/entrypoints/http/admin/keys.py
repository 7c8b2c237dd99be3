"""Virtual keys: made, looked at, changed, rotated, paused and ended."""

from typing import Annotated, Literal

from fastapi import Depends, status
from msgspec import UNSET

from clavero.control import issue, keys
from clavero.control.budgets import NewBudget
from clavero.control.custody import leavers
from clavero.control.keys import Issued, KeyEdit, NewKey
from clavero.control.why import why
from clavero.domain.budgets import Subject
from clavero.domain.endpoints import Endpoint
from clavero.domain.keys import Key, KeyState
from clavero.domain.members import transfer_due
from clavero.domain.refusals import InvalidValue
from clavero.entrypoints.http.admin.auth import Needs, router
from clavero.entrypoints.http.admin.facts import Caller
from clavero.entrypoints.http.admin.fields import (
    Names,
    Once,
    Overriding,
    Reasoned,
    Text,
    View,
    edit_of,
    limit_of,
    span_ns,
)
from clavero.entrypoints.http.admin.key_views import KeysView, KeyView, described, described_all
from clavero.entrypoints.http.admin.members import HeirBody

routes = router("keys")
Reader = Annotated[Caller, Depends(Needs("key.read"))]
_MOST = 5000  # keys in one answer
_VERBS = {"disable": keys.disable, "enable": keys.enable, "retire": keys.retire}


class NewKeyBody(Overriding):
    """A key as it is asked for; what is left out follows from its name. Empty `models` or `endpoints` is every one."""

    name: Text
    owner: Text
    service: Text = ""
    environment: Text = ""
    team: Text = ""
    project: Text = ""
    purpose: Text = ""
    models: Names = ()
    endpoints: Names = ()
    features: Names = ()
    starts_in: Text = ""
    expires_in: Text = ""
    default_output_tokens: int = 4096
    limit: Text = ""


class KeyEditBody(Overriding):
    """What changes of a key: a whole list replaces, `add_` and `remove_` change a list that is there.

    `expires_in` counts from now; `never` takes the end away.
    """

    owner: Text | None = None
    purpose: Text | None = None
    expires_in: Text | None = None
    default_output_tokens: int | None = None
    models: Names | None = None
    endpoints: Names | None = None
    add_models: Names = ()
    remove_models: Names = ()
    add_endpoints: Names = ()
    remove_endpoints: Names = ()
    add_features: Names = ()
    remove_features: Names = ()


class RotateBody(Overriding):
    """How long the versions before the new one still work."""

    grace: Text = "24h"


class IssuedView(View):
    """A key with its newest secret: the only time that it is told."""

    key: KeyView
    secret: str


class StepView(View):
    """What one stage would say of a call; `code` and `fix` where it refuses."""

    stage: str
    ok: bool
    text: str
    code: str
    fix: str


class WhyView(View):
    """The stages in their order, up to the first that refuses."""

    key: str
    model: str
    endpoint: Endpoint
    steps: list[StepView]


@routes.get("/keys")
async def list_keys(  # noqa: PLR0913, PLR0917 - one parameter for each filter
    caller: Reader,
    state: KeyState | None = None,
    owner: Text = "",
    service: Text = "",
    environment: Text = "",
    under_transfer: bool = False,  # noqa: FBT001, FBT002 - a filter of the address
    after: Text = "",
    limit: int = _MOST,
) -> KeysView:
    """The keys that pass the filters, by name; states as of now. `under_transfer`: those whose owner has left."""
    if not 1 <= limit <= _MOST:
        raise InvalidValue("limit", f"from 1 to {_MOST}", str(_MOST))
    wanted = {"owner": owner, "service": service, "environment": environment}
    equal = {field: value for field, value in wanted.items() if value}
    found = [key for key in await keys.list_keys(caller.desk, state=state, **equal) if key.name > after]
    if under_transfer:
        gone = await leavers(caller.desk)
        found = [key for key in found if transfer_due(key, gone)]
    page = found[:limit]
    onward = page[-1].name if len(found) > limit else None
    return KeysView(keys=await described_all(caller.desk, page), next=onward)


@routes.post("/keys", status_code=status.HTTP_201_CREATED, response_class=Once)
async def create_key(caller: Annotated[Caller, Depends(Needs("key.create"))], body: NewKeyBody) -> IssuedView:
    """Make a key; its secret is in this answer and in no other. `limit` gives it a budget in the same change."""
    wanted = NewKey(
        name=body.name,
        owner=body.owner,
        service=body.service,
        environment=body.environment,
        team=body.team,
        project=body.project,
        purpose=body.purpose,
        models=body.models,
        endpoints=body.endpoints,
        features=body.features,
        starts_ns=_from_now(caller, body.starts_in, "starts_in"),
        expires_ns=_from_now(caller, body.expires_in, "expires_in"),
        default_output_tokens=body.default_output_tokens,
    )
    if not body.limit:
        issued = await caller.do(keys.create, wanted=wanted, override=body.override, reason=body.reason)
        return await _issued(caller, issued)
    limit_n, window = limit_of(body.limit)
    budget = NewBudget(subject=Subject.KEY, name=body.name, window=window, limit_n=limit_n)
    issued = await caller.do(
        issue.create_limited, wanted=wanted, budget=budget, override=body.override, reason=body.reason
    )
    return await _issued(caller, issued)


@routes.get("/keys/{key}")
async def show_key(caller: Reader, key: str) -> KeyView:
    """One key by its name or kid, with its budgets and its last use."""
    return await described(caller.desk, await keys.show_key(caller.desk, key))


@routes.patch("/keys/{key}")
async def update_key(caller: Annotated[Caller, Depends(Needs("key.update"))], key: str, body: KeyEditBody) -> KeyView:
    """Change what a key may do, whose it is or when it ends; never its name or its secret."""
    edit = edit_of(KeyEdit, body, expires_ns=_new_end(caller, body.expires_in))
    changed = await caller.do(keys.update, name=key, edit=edit, override=body.override, reason=body.reason)
    return await _told(caller, changed)


@routes.post("/keys/{key}/transfer")
async def transfer_key(caller: Annotated[Caller, Depends(Needs("key.transfer"))], key: str, body: HeirBody) -> KeyView:
    """Give the key to another owner."""
    given = await caller.do(keys.transfer, name=key, to=body.to, override=body.override, reason=body.reason)
    return await _told(caller, given)


@routes.post("/keys/{key}/rotate", response_class=Once)
async def rotate_key(
    caller: Annotated[Caller, Depends(Needs("key.rotate"))], key: str, body: RotateBody | None = None
) -> IssuedView:
    """A new secret; the ones before it work for the grace, none at `0`."""
    body = body or RotateBody()
    grace_ns = span_ns(body.grace, "grace")
    issued = await caller.do(keys.rotate, name=key, grace_ns=grace_ns, override=body.override, reason=body.reason)
    return await _issued(caller, issued)


@routes.get("/keys/{key}/why")
async def why_refused(
    caller: Reader, key: str, model: Text, endpoint: Endpoint = Endpoint.CHAT, max_tokens: int = 0
) -> WhyView:
    """Rehearse a call: what each stage would say of it."""
    if not 0 <= max_tokens <= 1_000_000:
        raise InvalidValue("max_tokens", "from 0 to 1000000", "4096")
    found = await why(caller.desk, key, model, endpoint, max_tokens)
    steps = [StepView(stage=one.stage, ok=one.ok, text=one.text, code=one.code, fix=one.fix) for one in found]
    return WhyView(key=key, model=model, endpoint=endpoint, steps=steps)


@routes.post("/keys/{key}/revoke")
async def revoke_key(
    caller: Annotated[Caller, Depends(Needs("key.revoke"))], key: str, body: Reasoned | None = None
) -> KeyView:
    """End the key for ever, all versions of it: within a second on every worker. No freeze refuses it."""
    return await _told(caller, await caller.do(keys.revoke, name=key, reason=body.reason if body else ""))


def _add_verb(verb: Literal["disable", "enable", "retire"], says: str) -> None:
    work = _VERBS[verb]

    @routes.post(f"/keys/{{key}}/{verb}", name=f"{verb}_key", description=says)
    async def move(
        caller: Annotated[Caller, Depends(Needs(f"key.{verb}"))], key: str, body: Overriding | None = None
    ) -> KeyView:
        body = body or Overriding()
        moved = await caller.do(work, name=key, override=body.override, reason=body.reason)
        return await _told(caller, moved)


_add_verb("disable", "Refuse the key until it is enabled again.")
_add_verb("enable", "Let a disabled key work again.")
_add_verb("retire", "Put a revoked key away.")


def _from_now(caller: Caller, text: str, field: str) -> int:
    span = span_ns(text, field)
    return caller.now_ns + span if span else 0


def _new_end(caller: Caller, text: str | None) -> object:
    if text is None:
        return UNSET
    return 0 if text.strip().lower() == "never" else _from_now(caller, text, "expires_in")


async def _told(caller: Caller, key: Key) -> KeyView:
    return await described(caller.desk, await keys.show_key(caller.desk, key.id))


async def _issued(caller: Caller, issued: Issued) -> IssuedView:
    return IssuedView(key=await _told(caller, issued.key), secret=issued.secret.reveal())
