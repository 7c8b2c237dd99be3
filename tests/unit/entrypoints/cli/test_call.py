import os

import msgspec
import pytest

from clavero.domain import tokens
from clavero.domain.startup import Exit
from clavero.entrypoints.cli.call import refused
from clavero.entrypoints.cli.failure import two_lines


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")


def body(code: str, message: str = "A fact. Do this.", fix: str = "Do this.") -> bytes:
    return msgspec.json.encode({"error": {"code": code, "message": message, "fix": fix}})


@pytest.mark.parametrize(
    ("status", "code", "ending"),
    [
        (401, "invalid_api_key", Exit.REFUSED), (403, "model_not_allowed", Exit.REFUSED), (429, "insufficient_quota", Exit.REFUSED),
        (502, "upstream_error", Exit.PROVIDER_FAILED), (504, "upstream_timeout", Exit.PROVIDER_FAILED),
        (502, "upstream_auth_failed", Exit.PROVIDER_FAILED), (400, "upstream_refused", Exit.PROVIDER_FAILED),
        (503, "ledger_unavailable", Exit.FAILED), (500, "internal_error", Exit.FAILED),
    ],
)  # fmt: skip
def test_whose_fault_it_is_decides_the_exit_code(status: int, code: str, ending: Exit) -> None:
    assert refused(status, body(code)).exit_code is ending


def test_the_remedy_is_said_once() -> None:
    assert two_lines(refused(403, body("model_not_allowed"))) == "error: A fact  [model_not_allowed]\n  fix: Do this"


@pytest.mark.parametrize("answer", [b"", b"<html>", b"[]", b"{}", b'{"error":"no"}', b'{"error":{"code":1}}', b"\xff"])
def test_an_answer_that_is_not_ours_is_said_so(answer: bytes) -> None:
    assert refused(404, answer).code == "not_clavero"


def test_a_key_in_an_answer_is_not_shown() -> None:
    key = tokens.mint(tokens.Kind.VIRTUAL_KEY, "prod", os.urandom)[1].reveal()
    assert key not in two_lines(refused(401, body("invalid_api_key", f"Unknown {key}", "")))
