import pytest

from clavero.domain.startup import Exit
from clavero.entrypoints.cli.client import checked, connect, exit_of, path_of
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
