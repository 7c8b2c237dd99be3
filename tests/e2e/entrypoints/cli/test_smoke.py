"""`clavero smoke`, `trace`, `usage` and `doctor` on real processes: what an operator does after a start."""

import json
import secrets
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.own_provider import NAME, introduce, own_provider
from tests.e2e.running import CLAVERO, Running


@pytest.fixture(scope="module")
def failing(clavero: Running) -> Iterator[Running]:
    """A clavero that knows a provider of ours, which fails as its models are called."""
    with own_provider() as address:
        secret = "own-" + secrets.token_hex(12)
        introduce(clavero, address, lambda: clavero.cli("credential", "add", NAME, "--from", "-", stdin=secret))
        yield clavero


def key_file(clavero: Running) -> str:
    return str(clavero.ready["keys"][0]["key_file"])


@pytest.mark.requirement(14)
@pytest.mark.parametrize("more", [[], ["--stream"]])
def test_a_small_call_proves_headers_model_times_and_cost(clavero: Running, more: list[str]) -> None:
    done = clavero.cli("smoke", "--key-file", key_file(clavero), *more)
    assert "✗" not in done.stdout
    for text in ("headers", "asked gpt-4o-mini, served gpt-4o-mini (simulated)", "equals the ledger"):
        assert text in done.stdout
    assert ("first token" in done.stdout) == bool(more)


@pytest.mark.requirement(14)
@pytest.mark.parametrize(
    ("model", "code", "says"),
    [
        ("nobody-knows", 5, "[model_not_found]"),
        ("gpt-unheard-of", 5, "[unpriced_model]"),
        ("own-tell-500", 6, "[upstream_error]"),
        ("own-tell-401", 6, "[upstream_auth_failed]"),
    ],
)
def test_the_exit_code_says_whose_fault_it_was(failing: Running, model: str, code: int, says: str) -> None:
    done = failing.cli("smoke", "--key-file", key_file(failing), "--model", model, check=False)
    assert (done.returncode, says in done.stderr) == (code, True), done.stdout + done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.requirement(14)
def test_a_stream_that_is_cut_is_the_providers_fault(failing: Running) -> None:
    done = failing.cli(
        "smoke", "--key-file", key_file(failing), "--model", "own-tell-cut", "--stream", check=False
    )  # fmt: skip
    assert done.returncode == 6, done.stdout + done.stderr
    assert "[stream_interrupted]" in done.stderr


def test_the_id_of_a_smoke_leads_to_its_trace_and_its_cost_to_the_ledger(clavero: Running) -> None:
    told = json.loads(clavero.cli("smoke", "--key-file", key_file(clavero), "--json").stdout)
    trace = clavero.cli("trace", told["request_id"]).stdout
    for text in ("reserve", "call 1", "settle", "returned", "prod-support-chat-01 v1"):
        assert text in trace
    assert "= ledger" in clavero.cli("usage").stdout


def test_doctor_finds_a_fresh_start_well(clavero: Running) -> None:
    done = clavero.cli("doctor", "--data-dir", str(clavero.data), check=False)
    assert "✗" not in done.stdout, done.stdout
    assert done.returncode == 0
    for name in ("gateway", "gateway-1", "ingest", "provider", "clock", "disk", "packages"):
        assert name in done.stdout


def test_the_data_directory_alone_leads_there(clavero: Running, tmp_path: Path) -> None:
    done = subprocess.run(
        [*CLAVERO, "smoke", "--data-dir", str(clavero.data)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=tmp_path,
        env=clavero.environ,
    )
    assert done.returncode == 0, done.stdout + done.stderr
