import ssl
from pathlib import Path

import pytest
from tests.pairs import make

from clavero.domain.startup import Exit
from clavero.entrypoints.cli.client import Trust, checked, connect, exit_of, path_of, told, trusting
from clavero.entrypoints.cli.failure import Failure, two_lines


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://127.0.0.1:4142", "http://127.0.0.1:4142"), ("http://localhost:4142/", "http://localhost:4142"),
        ("http://[::1]:4142", "http://[::1]:4142"), ("https://clavero.example.com", "https://clavero.example.com"),
    ],
)  # fmt: skip
def test_an_address_is_kept_without_its_slash(given: str, kept: str) -> None:
    assert checked(given) == kept


@pytest.mark.parametrize(
    "given",
    [
        "", "127.0.0.1:4142", "ftp://x", "http://", "http://x:port", "http://127.0.0.1:99999", "http://[::1", "http://127.0.0.1:0",
        "http://127.0.0.1:4142/api/v1", "http://127.0.0.1:4142?token=hunter22", "http://me:hunter22@127.0.0.1:4142", "http://127.0.0.1#x",
    ],
)  # fmt: skip
def test_what_is_no_plain_address_is_refused_and_no_password_is_said_back(given: str) -> None:
    with pytest.raises(Failure) as refused:
        checked(given)
    assert refused.value.exit_code is Exit.USAGE
    assert "hunter22" not in two_lines(refused.value)


@pytest.mark.parametrize(
    "given", ["http://clavero.example.com:4142", "http://10.0.0.7:4142", "http://127.0.0.1.example.com"]
)
def test_the_token_leaves_this_machine_over_tls_alone(given: str) -> None:
    with pytest.raises(Failure) as refused:
        checked(given)
    assert refused.value.code == "plain_http"


def test_no_proxy_of_the_environment_sees_the_token(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    connection = connect("http://127.0.0.1:4142", 1)
    assert (connection.host, connection.port) == ("127.0.0.1", 4142)


def test_a_name_cannot_leave_its_place_in_a_path() -> None:
    assert path_of("keys", "../x?y#z", "rotate") == "/keys/..%2Fx%3Fy%23z/rotate"


@pytest.mark.parametrize(
    ("code", "status", "ending"),
    [
        ("not_signed_in", 401, Exit.SIGN_IN), ("forbidden", 403, Exit.REFUSED), ("not_found", 404, Exit.NOT_FOUND),
        ("already_exists", 409, Exit.REFUSED), ("state_forbids", 409, Exit.REFUSED), ("invalid_value", 422, Exit.USAGE),
        ("storage_unavailable", 503, Exit.FAILED), ("malformed_json", 400, Exit.USAGE), ("internal_error", 500, Exit.FAILED),
        ("heard_of_later", 404, Exit.NOT_FOUND), ("heard_of_later", 418, Exit.USAGE), ("heard_of_later", 502, Exit.FAILED),
    ],
)  # fmt: skip
def test_every_refusal_has_the_exit_code_of_its_class(code: str, status: int, ending: Exit) -> None:
    assert exit_of(code, status) is ending


def test_a_file_of_certificates_is_trusted_by_itself(tmp_path: Path) -> None:
    context = trusting(str(make(tmp_path).cert))
    assert context.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN
    assert context.check_hostname
    assert not trusting("").verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN


@pytest.mark.parametrize("content", [None, b"", b"nothing", b"\xff"])
def test_a_file_without_certificates_is_a_usage_error(content: bytes | None, tmp_path: Path) -> None:
    if content is not None:
        (tmp_path / "ca.pem").write_bytes(content)
    with pytest.raises(Failure) as refused:
        connect("https://127.0.0.1:1", 1, Trust(str(tmp_path / "ca.pem")))
    assert (refused.value.code, refused.value.exit_code) == ("ca_file", Exit.USAGE)


@pytest.mark.parametrize(
    ("error", "code"),
    [(ConnectionRefusedError(), "not_running"), (ssl.SSLCertVerificationError(), "untrusted"),
     (TimeoutError(), "no_answer"), (ssl.SSLError(), "no_answer"), (ValueError("no JSON"), "no_answer")],
)  # fmt: skip
def test_every_way_of_no_answer_has_its_code(error: Exception, code: str) -> None:
    if isinstance(error, ssl.SSLCertVerificationError):
        error.verify_message = "self-signed certificate"
    with pytest.raises(Failure) as refused, told("https://x", 1):
        raise error
    assert refused.value.code == code
