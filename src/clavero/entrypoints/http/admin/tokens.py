"""Admin tokens, for programs and the command line: made, listed, ended."""

from typing import Annotated

from fastapi import Depends, status

from clavero.control import signin
from clavero.domain import tokens
from clavero.domain.access import AdminToken, Role
from clavero.entrypoints.http.admin.auth import Needs, router
from clavero.entrypoints.http.admin.facts import Caller
from clavero.entrypoints.http.admin.fields import Body, Moment, Once, View, moment

routes = router("tokens")


class TokenView(View):
    """An admin token, without its secret."""

    kid: str
    role: Role
    created_at: Moment
    ended_at: Moment


class TokensView(View):
    """Admin tokens, oldest first."""

    tokens: list[TokenView]


class TokenBody(Body):
    """What the token is trusted with."""

    role: Role = Role.OWNER


class MintedView(View):
    """A new admin token: the only time that it is told."""

    kid: str
    role: Role
    secret: str


@routes.get("/tokens")
async def list_tokens(caller: Annotated[Caller, Depends(Needs("token.read"))]) -> TokensView:
    """Every admin token that works, oldest first."""
    return TokensView(tokens=[_view(one) for one in await signin.list_tokens(caller.desk)])


@routes.post("/tokens", status_code=status.HTTP_201_CREATED, response_class=Once)
async def create_token(
    caller: Annotated[Caller, Depends(Needs("token.create"))], body: TokenBody | None = None
) -> MintedView:
    """Make an admin token."""
    body = body or TokenBody()
    secret = await caller.do(signin.create_token, role=body.role)
    shape = tokens.read(secret.reveal())
    return MintedView(kid=shape.kid if shape else "", role=body.role, secret=secret.reveal())


@routes.delete("/tokens/{kid}")
async def end_token(caller: Annotated[Caller, Depends(Needs("token.end"))], kid: str) -> TokenView:
    """End an admin token; it is refused from the next request on."""
    return _view(await caller.do(signin.end_token, kid=kid))


def _view(token: AdminToken) -> TokenView:
    return TokenView(
        kid=token.id, role=token.role, created_at=moment(token.created_ns), ended_at=moment(token.ended_ns)
    )
