from typing import Annotated

import pytest
from fastapi import Depends, Request

from clavero.domain.forwarded import Proxies
from clavero.domain.refusals import NotSignedIn
from clavero.entrypoints.http.admin.arrival import arrived
from clavero.entrypoints.http.admin.auth import Needs, bearer, needs_of, on_this_machine, peer, router


def request(address: str = "127.0.0.1", *headers: tuple[str, str]) -> Request:
    raw = [(name.encode(), value.encode()) for name, value in headers]
    return Request({"type": "http", "client": (address, 1) if address else None, "headers": raw, "state": {}})


def test_a_route_without_a_permission_cannot_be_added() -> None:
    with pytest.raises(TypeError, match="must name one permission"):

        @router("x").get("/open")
        async def route() -> None: ...


def test_a_route_with_two_permissions_cannot_be_added() -> None:
    with pytest.raises(TypeError, match="not 2"):

        @router("x").get("/torn")
        async def route(
            one: Annotated[object, Depends(Needs("a.read"))], two: Annotated[object, Depends(Needs("b.read"))]
        ) -> None: ...


def test_the_permission_of_a_route_is_what_its_dependency_says() -> None:
    routes = router("x")

    @routes.get("/one")
    async def route(caller: Annotated[object, Depends(Needs("key.read"))]) -> None: ...

    (found,) = routes.routes
    assert needs_of(found).permission == "key.read"  # type: ignore[arg-type] # a route of ours


def test_nobody_is_let_in_by_the_dependency_alone() -> None:
    asked = request()
    asked.state.caller = object()
    with pytest.raises(NotSignedIn):
        Needs("key.read")(asked)


@pytest.mark.parametrize(
    ("header", "token"),
    [
        ("Bearer abc", "abc"),
        ("bearer   abc ", "abc"),
        ("Basic abc", ""),
        ("abc", ""),
        ("", ""),
        ("Bearer", ""),
        ("Bearer " + "a" * 256, "a" * 256),
        ("Bearer " + "a" * 257, ""),
    ],
)
def test_only_a_bearer_of_a_sane_length_is_looked_at(header: str, token: str) -> None:
    assert bearer(header) == token


@pytest.mark.parametrize(
    ("address", "headers", "local"),
    [
        ("127.0.0.1", (), True),
        ("127.8.8.8", (), True),
        ("::1", (), True),
        ("10.0.0.1", (), False),
        ("", (), False),
        ("localhost", (), False),
        ("127.0.0.1", (("x-forwarded-for", "10.0.0.1"),), False),
        ("127.0.0.1", (("forwarded", "for=10.0.0.1"),), False),
    ],
)
def test_what_a_proxy_passes_on_is_not_of_this_machine(
    address: str, headers: tuple[tuple[str, str], ...], local: bool
) -> None:
    plain = request(address, *headers)
    asked = Request(arrived(plain.scope, Proxies()))
    assert on_this_machine(asked) is local
    assert peer(asked) == address
