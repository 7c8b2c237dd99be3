"""The vault over the API: what it tells, what it moves, and whom it lets."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.flow.entrypoints.http.admin.office import Office, open_office

from clavero.control.rekey import advance


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as opened:
        yield opened


async def test_a_move_is_begun_shown_and_done(office: Office) -> None:
    await office.ask("POST", "/providers", 201, json={
        "name": "house", "kind": "openai_like", "base_url": "http://127.0.0.1:9", "network": "loopback",
    })  # fmt: skip
    await office.ask("POST", "/providers/house/credential", 201, json={"secret": "sk-" + "a" * 40})
    before = await office.ask("GET", "/vault")
    assert (before["seal"], before["check"], before["rekey"], before["unreadable"]) == ("file", "ok", None, None)
    begun = await office.ask(
        "POST", "/vault/rekey", 202, json={"root": True, "tenants": ["default"], "reason": "yearly"}
    )
    assert begun["rekey"] | {"id": "", "begun_at": ""} == {
        "id": "", "root": True, "tenants": ["default"], "state": "running", "before": before["root_key"], "after": "",
        "cells": 1, "moved": 0, "begun_at": "", "ended_at": None,
    }  # fmt: skip
    assert office.desk.vault.begun.is_set()
    await advance(office.desk)
    after = await office.ask("GET", "/vault?verify=true")
    assert after["rekey"]["state"] == "done"
    assert (after["rekey"]["moved"], after["unreadable"]) == (1, [])
    assert after["held"] == [after["root_key"]] != before["held"]
    assert list(after["cells"]) == after["held"]
    assert after["tenants"][0]["version"] == 2


async def test_what_cannot_be_moved_is_refused_with_the_remedy(office: Office) -> None:
    assert (await office.refused("POST", "/vault/rekey", 422, json={}))["field"] == "root"
    assert (await office.refused("POST", "/vault/rekey", 404, json={"tenants": ["acme"]}))["code"] == "not_found"
    await office.ask("POST", "/vault/rekey", 202, json={"tenants": ["default"]})
    assert (await office.refused("POST", "/vault/rekey", 409, json={"root": True}))["code"] == "rekey_runs"


async def test_an_auditor_looks_and_moves_nothing(office: Office) -> None:
    assert (await office.auditor.get("/api/v1/vault")).status_code == 200
    assert (await office.auditor.post("/api/v1/vault/rekey", json={"root": True})).status_code == 403
    assert (await office.stranger.get("/api/v1/vault")).status_code == 401
