"""`clavero vault` as it is typed: status and re-key against a running control plane."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.flow.entrypoints.cli.rig import Terminal, open_terminal

from clavero.control import rekey


@pytest.fixture
async def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Terminal]:
    async with open_terminal(tmp_path, monkeypatch) as opened:
        moving = asyncio.ensure_future(rekey.forever(opened.office.desk, lambda _why: None))
        yield opened
        moving.cancel()


async def test_a_re_key_is_waited_for_and_told(terminal: Terminal) -> None:
    before = (await terminal.ok("vault", "status", "--json")).json
    done = await terminal.ok("vault", "rekey", "--root", "--tenant", "default", "--yes", "--reason", "yearly")
    after = (await terminal.ok("vault", "status", "--verify", "--json")).json
    assert after["root_key"] != before["root_key"]
    assert f"root key {after['root_key']}" in done.err
    assert after["rekey"]["state"] == "done"
    shown = await terminal.ok("vault", "status", "--verify")
    assert f"root key {after['root_key']}" in shown.out
    assert "every sealed value opens" in shown.out
    assert "tenant default: key 2" in shown.out
    told = (await terminal.ok("vault", "rekey", "--tenant", "default", "--no-wait", "--json")).json
    assert told["rekey"]["root"] is False


async def test_a_root_key_is_not_destroyed_without_a_word(terminal: Terminal) -> None:
    refused = await terminal.type("vault", "rekey", "--root")
    assert refused.code == 2
    assert "--yes" in refused.err
    assert (await terminal.ok("vault", "status", "--json")).json["rekey"] is None


async def test_what_to_move_has_to_be_said(terminal: Terminal) -> None:
    refused = await terminal.type("vault", "rekey")
    assert (refused.code, "[invalid_value]" in refused.err) == (2, True)


async def test_a_vault_that_does_not_open_is_an_exit_code(terminal: Terminal) -> None:
    from clavero.domain.sealing import SealedKey

    async with terminal.office.desk.store.write() as writing:
        for row in await writing.find(SealedKey):
            await writing.delete(SealedKey, row.id)
    failed = await terminal.type("vault", "status")
    assert failed.code == 1
    assert "does not open" in failed.out
