"""The door as a caller meets it: the real stage, on a view loaded from the real store."""

from collections.abc import Callable

from clavero.control.commit import Desk
from clavero.domain.errors import Problem
from clavero.domain.keys import Key
from clavero.gateway.authenticate import authenticate
from clavero.gateway.view import View
from clavero.ports.client import Request


async def door(desk: Desk) -> Callable[[str], int | Problem]:
    """Knocks with a key: the number of the version that was let in, or the problem. The view is as of now."""
    async with desk.store.read() as look:
        stored = await look.find(Key)
    view = View(lambda _credential: None)
    view.load(1, {Key: stored})

    def knock(token: str) -> int | Problem:
        try:
            _, version = authenticate(_request(token), view, desk.fingerprints, desk.clock)
        except Problem as problem:
            return problem
        return version.number

    return knock


def _request(token: str) -> Request:
    headers = {"authorization": f"Bearer {token}"}
    return Request(
        id="req_1", method="POST", path="/v1/chat/completions", headers=headers, body=b"{}", peer="127.0.0.1", at_ns=0,
        started_ns=0,
    )  # fmt: skip
