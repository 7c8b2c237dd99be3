"""Every route there is: each names its permission, and none answers a stranger or changes a thing for an auditor."""

import re
from collections.abc import Iterator

import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from starlette.routing import Route
from tests.flow.entrypoints.http.admin.office import Office

from clavero.control.audit import READ
from clavero.control.commit import OPERATIONS, REFUSED
from clavero.domain.audit import AuditRow
from clavero.entrypoints.http.admin.app import PREFIX
from clavero.entrypoints.http.admin.auth import Needs

OPEN = {"/api/docs", "/api/docs/{name}", "/api/v1/openapi.json"}  # what the API is like is no secret
BY_ITSELF = {"/metrics"}  # needs no token on this machine


READ_BY_BODY = {"/api/v1/whois"}  # what is asked for may be a key, which stands in no URL


def routes(office: Office) -> Iterator[tuple[str, str, str]]:
    """Method, path and permission of each route that is not open."""
    for context in iter_route_contexts(office.app.routes):
        route = context.original_route
        assert isinstance(route, APIRoute), route
        if context.path in OPEN:
            continue
        dependant = context.dependant or route.dependant
        (needs,) = [one.call for one in dependant.dependencies if isinstance(one.call, Needs)]
        for method in context.methods or ():
            yield method, str(context.path), needs.permission


def filled(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "x", path)


async def test_every_route_names_a_permission_and_changes_name_an_operation(office: Office) -> None:
    found = list(routes(office))
    assert len(found) > 50
    for method, path, permission in found:
        if method == "GET" or path in READ_BY_BODY:
            assert permission.endswith(".read"), path
        else:
            assert permission in OPERATIONS, path


async def test_the_api_offers_every_operation_that_people_have(office: Office) -> None:
    offered = {permission for _, _, permission in routes(office)}
    within = {
        "key.create_limited",  # behind key.create
        "price.import", "vault.create", "vault.enter", "vault.reseal", "vault.complete", "vault.forget", "vault.seal", "session.start", "session.end", "demo.seed",
        "audit.create_signing_key",  # the house's own
        "db.restore", "db.bury",  # verbs of the command line that need no server
    }  # fmt: skip
    ours = {name for name, one in OPERATIONS.items() if one.work.__module__.startswith("clavero.control")}
    assert ours - offered - within == set()


async def test_nothing_answers_a_stranger(office: Office) -> None:
    for method, path, _ in routes(office):
        if path in BY_ITSELF:
            continue
        answer = await office.stranger.request(method, filled(path), content=b"{")
        assert answer.status_code == 401, (method, path)
        assert answer.json()["error"]["code"] == "not_signed_in"
        assert "www-authenticate" in answer.headers


async def test_an_auditor_reads_everything_and_changes_nothing(office: Office) -> None:
    before = await _rows(office)
    office.tail.end()  # or the one answer that has no end would have none
    for method, path, permission in routes(office):
        answer = await office.auditor.request(method, filled(path), content=b"{")
        if method == "GET" or path in READ_BY_BODY:
            assert answer.status_code in {200, 404, 422}, (path, answer.text)
        else:
            assert answer.status_code == 403, (method, path)
            assert permission in answer.json()["error"]["message"]
    added = (await _rows(office))[len(before) :]
    assert {row.action for row in added} == {REFUSED, READ}
    refused = {row.object_id for row in added if row.action == REFUSED}
    assert refused == {one for method, path, one in routes(office) if method != "GET" and path not in READ_BY_BODY}


@pytest.mark.parametrize("token", ["clva_admin_x", "é" * 20, "a" * 5000, "clva_admin_0123456789AB_" + "a" * 49])
async def test_a_token_that_is_none_is_refused_alike(office: Office, token: str) -> None:
    header = {"authorization": f"Bearer {token}".encode()}
    answer = await office.stranger.get("/api/v1/keys", headers=header)  # type: ignore[arg-type] # bytes beyond ASCII
    assert answer.status_code == 401
    assert token not in answer.text


async def test_two_tokens_are_none(office: Office) -> None:
    sent = [("authorization", office.owner.headers["authorization"]), ("authorization", "Bearer x")]
    assert (await office.stranger.get("/api/v1/keys", headers=sent)).status_code == 401


async def test_an_ended_token_is_refused_from_then_on(office: Office) -> None:
    made = await office.ask("POST", "/tokens", 201, json={"role": "auditor"})
    async with office.client(made["secret"]) as program:
        assert (await program.get("/api/v1/keys")).status_code == 200
        await office.ask("DELETE", f"/tokens/{made['kid']}")
        assert (await program.get("/api/v1/keys")).status_code == 401


async def test_what_is_not_there_is_told_as_everything_else(office: Office) -> None:
    nowhere = await office.owner.get("/api/v1/nothing")
    assert (nowhere.status_code, nowhere.json()["error"]["code"]) == (404, "endpoint_not_found")
    wrong = await office.owner.put("/api/v1/status")
    assert (wrong.status_code, wrong.json()["error"]["code"], wrong.headers["allow"]) == (
        405,
        "method_not_allowed",
        "GET",
    )


async def test_no_other_origin_is_told_anything(office: Office) -> None:
    asked = {"origin": "https://evil.example", "access-control-request-method": "GET"}
    answer = await office.stranger.options("/api/v1/keys", headers=asked)
    assert answer.status_code == 405
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_a_failure_of_ours_tells_nothing_of_itself(office: Office) -> None:
    async def broken(_: object) -> None:
        raise RuntimeError("sk-ant-" + "x" * 30)

    office.app.router.routes.append(Route("/broken", broken))
    answer = await office.owner.get("/broken", headers={"accept-language": "es"})
    assert answer.status_code == 500
    error = answer.json()["error"]
    assert error["code"] == "internal_error"
    assert error["request_id"] in error["fix"]
    assert "sk-ant" not in answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_the_description_says_how_to_sign_in_and_what_a_refusal_is(office: Office) -> None:
    whole = (await office.stranger.get(f"{PREFIX}/openapi.json")).json()
    assert whole["components"]["securitySchemes"]["admin"]["scheme"] == "bearer"
    for path, operations in whole["paths"].items():
        for operation in operations.values():
            assert operation["responses"]["4XX"]["content"], path
    assert "HTTPValidationError" not in str(whole["paths"])


async def _rows(office: Office) -> list[AuditRow]:
    async with office.desk.store.read() as look:
        return sorted(await look.find(AuditRow), key=lambda row: row.seq)
