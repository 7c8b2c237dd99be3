"""Whose key is this? The text comes in a body, never in a URL: it may be a key."""

from typing import Annotated

from fastapi import Depends

from clavero.control.whois import By, whois
from clavero.entrypoints.http.admin.auth import Needs, router
from clavero.entrypoints.http.admin.facts import Caller
from clavero.entrypoints.http.admin.fields import Body, View
from clavero.entrypoints.http.admin.key_views import KeyView, described
from clavero.entrypoints.http.admin.providers import CredentialView, credential_view

routes = router("keys")


class FragmentBody(Body):
    """A key that turned up somewhere, or a piece of one."""

    fragment: str


class MatchView(View):
    """A key that fits: how it was recognised (secret, id, tail, name), and which version; 0 where that is not known."""

    by: By
    version: int
    key: KeyView


class WhoisView(View):
    """What fits, the surest first; `forged` where the public part is ours and the secret never was."""

    keys: list[MatchView]
    credentials: list[CredentialView]
    forged: bool


@routes.post("/whois")
async def whose(caller: Annotated[Caller, Depends(Needs("key.read"))], body: FragmentBody) -> WhoisView:
    """What a found key, or a piece of one, powers, and who answers for it."""
    found = await whois(caller.desk, body.fragment)
    return WhoisView(
        keys=[
            MatchView(by=one.by, version=one.version, key=await described(caller.desk, one.key)) for one in found.keys
        ],
        credentials=[credential_view(one) for one in found.credentials],
        forged=found.forged,
    )
