"""Who asks, and whether they may: settled before anything of a body is read.

Every route names its permission in its dependency (`Needs`). A route without one cannot be added: `Guarded` raises when
the application is made, so a forgotten check never reaches a listener.
"""

import ipaddress
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute
from msgspec.structs import replace

from clavero.control.commit import OPERATIONS, perform
from clavero.control.signin import who_sent
from clavero.domain.access import Actor, Role, may
from clavero.domain.refusals import Forbidden, NotSignedIn
from clavero.entrypoints.http.admin.arrival import is_relayed
from clavero.entrypoints.http.admin.facts import Caller, Office
from clavero.entrypoints.http.language import language_of

_LONGEST_TOKEN = 256  # ours have 83 characters and less; nothing longer is looked at


class Needs:
    """The permission of a route. `local`: a program on this machine needs no token, as scrapers of metrics do."""

    def __init__(self, permission: str, *, local: bool = False) -> None:
        self.permission = permission
        self.local = local

    def __call__(self, request: Request) -> Caller:
        """Who `Guarded` let in."""
        caller = request.state.caller
        if not isinstance(caller, Caller):
            raise NotSignedIn
        return caller


class Guarded(APIRoute):
    """A route that knows who asks before it reads what is asked."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler behind the check; TypeError for a route that names no permission, or several."""
        handle = super().get_route_handler()
        needs = needs_of(self)

        async def guarded(request: Request) -> Response:
            request.state.caller = await identify(request, needs)
            return await handle(request)

        return guarded


def router(noun: str) -> APIRouter:
    """The routes of one noun, each of them guarded."""
    return APIRouter(route_class=Guarded, tags=[noun])


def needs_of(route: APIRoute) -> Needs:
    """The permission that a route names."""
    found = [one.call for one in route.dependant.dependencies if isinstance(one.call, Needs)]
    if len(found) != 1:
        raise TypeError(f"{route.path} must name one permission, not {len(found)}")
    return found[0]


async def identify(request: Request, needs: Needs) -> Caller:
    """Who asks; `NotSignedIn` for a stranger, `Forbidden` where the role does not hold the permission."""
    office: Office = request.app.state.office
    address = peer(request)
    request_id = str(request.state.request_id)
    sent = request.headers.getlist("authorization")
    token = bearer(sent[0]) if len(sent) == 1 else ""  # two of them would be two meanings
    if needs.local and not sent and on_this_machine(request):
        actor = Actor(id="local", kind="system", address=address, level="local", role=Role.AUDITOR)
    else:
        actor = await who_sent(office.desk, token, address)
    actor = replace(actor, request_id=request_id)
    if not may(actor.role, needs.permission):
        if tried := OPERATIONS.get(needs.permission):
            await perform(office.desk, actor, tried.work)  # refuses before any work, and keeps that it was tried
        raise Forbidden(needs.permission)
    return Caller(actor, language_of(request.headers.get("accept-language", "")), office)


def bearer(header: str) -> str:
    """The token of an Authorization header; "" for any other scheme or beyond all length."""
    scheme, _, token = header.strip().partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and len(token) <= _LONGEST_TOKEN else ""


def peer(request: Request) -> str:
    """The address that asks."""
    return request.client.host if request.client else ""


def on_this_machine(request: Request) -> bool:
    """Whether the peer is loopback, and speaks for itself: what a proxy passes on came from elsewhere."""
    if is_relayed(request.scope):
        return False
    try:
        return ipaddress.ip_address(peer(request)).is_loopback
    except ValueError:
        return False
