import os
from pathlib import Path

import pytest

from clavero.domain import tokens
from clavero.domain.startup import Exit
from clavero.entrypoints.cli.failure import Failure
from clavero.entrypoints.cli.place import data_of, place_of, read_token, ready


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("CLAVERO_URL", "CLAVERO_ADMIN_TOKEN_FILE", "CLAVERO_STORAGE_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)


def running(
    data: Path, text: str = '{"admin_url":"http://127.0.0.1:5142","gateway_url":"http://127.0.0.1:5141","pid":7}'
) -> Path:
    (data / "run").mkdir(parents=True)
    (data / "run" / "ready.json").write_text(text)
    return data


def test_the_running_one_is_found_by_its_data_directory(tmp_path: Path) -> None:
    place = place_of(None, running(tmp_path / "d"))
    assert (place.url, place.gateway) == ("http://127.0.0.1:5142", "http://127.0.0.1:5141")
    assert place.token_file == tmp_path / "d" / "admin.token"


def test_an_option_goes_before_the_variable_and_the_variable_before_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = running(tmp_path / "d")
    monkeypatch.setenv("CLAVERO_URL", "http://127.0.0.1:6142")
    assert place_of(None, data).url == "http://127.0.0.1:6142"
    assert place_of("http://127.0.0.1:7142", data).url == "http://127.0.0.1:7142"


def test_the_gateway_of_another_clavero_is_not_taken_for_this_one(tmp_path: Path) -> None:
    data = running(tmp_path / "d")
    assert place_of("http://127.0.0.1:7142", data).gateway == ""
    assert place_of("http://127.0.0.1:5142", data).gateway == "http://127.0.0.1:5141"


def test_the_token_file_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAVERO_ADMIN_TOKEN_FILE", "/somewhere/token")
    assert place_of(None, running(tmp_path / "d")).token_file == Path("/somewhere/token")


@pytest.mark.parametrize("text", ["", "{", "[]", '"x"', "{}", '{"gateway_url":"x"}', "\x00"])
def test_where_nothing_runs_one_line_says_so(text: str, tmp_path: Path) -> None:
    with pytest.raises(Failure) as refused:
        place_of(None, running(tmp_path / "d", text))
    assert refused.value.code == "not_running"
    assert refused.value.fix == f"clavero up --data-dir {tmp_path / 'd'}"


def test_an_address_of_the_file_is_checked_like_any_other(tmp_path: Path) -> None:
    with pytest.raises(Failure):
        place_of(None, running(tmp_path / "d", '{"admin_url":"http://evil.example.com"}'))


def test_a_file_that_is_no_text_says_nothing(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "ready.json").write_bytes(b"\xff\xfe")
    assert not ready(tmp_path)


def test_the_data_directory_is_as_the_settings_have_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert data_of(None) == Path("clavero-data")
    monkeypatch.setenv("CLAVERO_STORAGE_DATA_DIR", "/srv/clavero")
    assert data_of(None) == Path("/srv/clavero")
    assert data_of(tmp_path) == tmp_path


def test_settings_that_cannot_be_read_are_a_usage_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAVERO_GATEWAY_PROT", "1")
    with pytest.raises(Failure) as refused:
        data_of(None)
    assert (refused.value.code, refused.value.exit_code) == ("bad_setting", Exit.USAGE)


def test_an_admin_token_is_read(tmp_path: Path) -> None:
    _, token = tokens.mint(tokens.Kind.ADMIN, "admin", os.urandom)
    (tmp_path / "t").write_text(token.reveal() + "\n")
    assert read_token(tmp_path / "t") == token


@pytest.mark.parametrize(
    "content",
    [b"", b"hunter22", b"\xff", tokens.mint(tokens.Kind.VIRTUAL_KEY, "prod", os.urandom)[1].reveal().encode()],
    ids=["empty", "word", "bytes", "virtual key"],
)
def test_a_file_with_anything_else_is_refused_without_its_content(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "t").write_bytes(content)
    with pytest.raises(Failure) as refused:
        read_token(tmp_path / "t")
    assert refused.value.exit_code is Exit.SIGN_IN
    assert "hunter22" not in refused.value.message


def test_a_token_that_is_away_or_closed_is_said_so(tmp_path: Path) -> None:
    for place in (tmp_path / "away", tmp_path):
        with pytest.raises(Failure) as refused:
            read_token(place)
        assert refused.value.exit_code is Exit.SIGN_IN
