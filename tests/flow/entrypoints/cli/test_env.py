import pytest
from tests.flow.entrypoints.cli.rig import Terminal


async def test_one_is_added_and_listed(terminal: Terminal) -> None:
    assert (await terminal.ok("env", "add", "staging")).err == "Added staging.\n"
    lines = (await terminal.ok("env", "list")).out.splitlines()
    assert lines[0].split() == ["NAME", "TIER", "FREEZE", "CREATED"]
    assert any(line.startswith("staging ") for line in lines)
    listed = (await terminal.ok("env", "list", "--json")).json["environments"]
    assert "staging" in [one["name"] for one in listed]


async def test_a_name_that_is_taken_or_breaks_the_rule_is_refused(terminal: Terminal) -> None:
    await terminal.ok("env", "add", "staging", "--json")
    assert (await terminal.type("env", "add", "staging")).code == 5
    assert (await terminal.type("env", "add", "Not A Name")).code == 2


@pytest.mark.requirement(9)
async def test_a_critical_environment_takes_no_key_without_an_end_and_somebody_on_call(terminal: Terminal) -> None:
    old = ["key", "create", "prod-chat-01", "--owner", "asha"]
    await terminal.ok(*old)
    assert (await terminal.ok("env", "drift")).err == "every key meets its tier\n"
    await terminal.ok("env", "update", "prod", "--tier", "critical", "--reason", "payments")
    drift = (await terminal.ok("env", "drift")).out
    assert "clavero key update prod-chat-01 --expires 30d" in drift
    assert "clavero service update chat --on-call WHO" in drift
    new = ["key", "create", "prod-chat-02", "--owner", "asha"]
    done = await terminal.type(*new)
    assert (done.code, "[tier_forbids]" in done.err) == (5, True)
    assert "The environment prod is critical: a key there ends within 30 days" in done.err
    assert "fix: --expires 30d" in done.err
    done = await terminal.type(*new, "--expires", "30d")
    assert "fix: clavero service update chat --on-call WHO" in done.err
    await terminal.ok("service", "update", "chat", "--on-call", "#chat-oncall")
    assert (await terminal.type(*new, "--expires", "31d")).code == 5
    await terminal.ok(*new, "--expires", "30d")
    assert (await terminal.type("key", "update", "prod-chat-02", "--expires", "never")).code == 5
    await terminal.ok("key", "update", "prod-chat-01", "--expires", "30d")
    assert (await terminal.ok("env", "drift", "--json")).json == {"drift": [], "total": 0}
    assert (await terminal.type("env", "update", "prdo", "--tier", "low")).code == 3
    assert (await terminal.type("env", "update", "prod", "--tier", "dear")).code == 2
    assert (await terminal.ok("env", "add", "bank", "--tier", "critical", "--json")).json["tier"] == "critical"
    assert "critical" in (await terminal.ok("env", "list")).out


@pytest.mark.requirement(66)
async def test_a_frozen_environment_changes_no_key_but_by_revoking_or_by_override(terminal: Terminal) -> None:
    await terminal.ok("key", "create", "prod-chat-01", "--owner", "asha")
    frozen = await terminal.ok("env", "freeze", "prod", "--until", "24h", "--reason", "black friday")
    assert frozen.err.startswith("prod: frozen until ")
    assert "black friday" in (await terminal.ok("env", "list")).out
    done = await terminal.type("key", "rotate", "prod-chat-01")
    assert (done.code, "[environment_frozen]" in done.err) == (5, True)
    assert "The environment prod is frozen until " in done.err
    assert "--override --reason WHY" in done.err
    assert (await terminal.type("key", "rotate", "prod-chat-01", "--override")).code == 2
    why = ["--override", "--reason", "it leaks"]
    await terminal.ok("key", "rotate", "prod-chat-01", *why)
    await terminal.ok("key", "create", "prod-chat-02", "--owner", "asha", "--limit", "$1/day", *why)
    await terminal.ok("key", "update", "prod-chat-01", "--expires", "9d", *why)
    await terminal.ok("key", "disable", "prod-chat-01", *why)
    await terminal.ok("key", "enable", "prod-chat-01", *why)
    await terminal.ok("member", "add", "bo")
    await terminal.ok("key", "transfer", "prod-chat-01", "--to", "bo", *why)
    await terminal.ok("member", "transfer", "bo", "--to", "asha", *why)
    rows = (await terminal.ok("audit", "list", "--json")).json["rows"]
    assert sum(row["reason"].startswith("overrides the freeze of prod until ") for row in rows) == 7
    await terminal.ok("key", "revoke", "prod-chat-01", "--yes")
    assert (await terminal.ok("env", "thaw", "prod")).err == "Thawed prod.\n"
    await terminal.ok("key", "rotate", "prod-chat-02")
    assert (await terminal.type("env", "thaw", "prod")).code == 5


async def test_a_freeze_can_be_planned_and_taken_back(terminal: Terminal) -> None:
    await terminal.ok("env", "add", "prod")
    planned = ["env", "freeze", "prod", "--from", "2h", "--until", "26h", "--reason", "launch", "--json"]
    (window,) = (await terminal.ok(*planned)).json["freezes"]
    assert (window["holds"], window["reason"]) == (False, "launch")
    await terminal.ok("key", "create", "prod-chat-01", "--owner", "asha")
    assert (await terminal.ok("env", "thaw", "prod", "--all", "--json")).json["freezes"] == []
    for wrong in (["--until", "soon"], ["--until", "2020-01-01"], ["--from", "4h", "--until", "2h"]):
        assert (await terminal.type("env", "freeze", "prod", *wrong, "--reason", "x")).code == 2


async def test_a_command_that_mends_is_the_same_in_spanish(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    await terminal.ok("env", "add", "prod", "--tier", "critical")
    monkeypatch.setenv("LC_ALL", "es_ES.UTF-8")
    done = await terminal.type("key", "create", "prod-chat-01", "--owner", "asha")
    assert "remedio: --expires 30d" in done.err
    assert "El nivel de riesgo del entorno" in done.err
