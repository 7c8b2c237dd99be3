import io
import os
import stat
from pathlib import Path

import pytest

from clavero.domain import tokens
from clavero.domain.secret import Secret
from clavero.domain.startup import Exit
from clavero.entrypoints.cli.failure import Failure, two_lines
from clavero.entrypoints.cli.sources import (
    is_secret,
    is_virtual_key,
    probe_env,
    refuse_inline,
    secret_from,
    virtual_key,
    write_env,
)

PROVIDER_KEY = "sk-" + "".join(chr(97 + number % 26) for number in range(40))


def minted(kind: tokens.Kind = tokens.Kind.VIRTUAL_KEY) -> str:
    return tokens.mint(kind, "prod", os.urandom)[1].reveal()


@pytest.mark.parametrize(
    "form", ["{}", "--from={}", "--api-key={}", "file:{}", "OPENAI_API_KEY={}", "'{}'", "Bearer {}"]
)
@pytest.mark.parametrize(
    "secret",
    [PROVIDER_KEY, minted(), minted(tokens.Kind.ADMIN), "sk-ant-" + "a1" * 20],
    ids=["provider", "virtual", "admin", "anthropic"],
)
def test_a_secret_on_the_command_line_is_refused_and_not_said_back(form: str, secret: str) -> None:
    with pytest.raises(Failure) as refused:
        refuse_inline(["credential", "add", "openai", form.format(secret)])
    assert refused.value.code == "inline_secret"
    assert refused.value.exit_code is Exit.USAGE
    assert secret not in two_lines(refused.value)


@pytest.mark.parametrize(
    "word",
    [
        "gpt-4o-mini", "prod-mail-01", "req_01JD8ZK4T0B6", "env:OPENAI_API_KEY", "team/support:day", "$10/day", "-",
        "https://api.openai.com", "the api key leaked: rotate it", "5hT0bVn3KcRa", "claude-sonnet-4-5", "0123456789abcdef" * 2,
        "postgresql://clavero:word@db/clavero", "password: changed",
    ],
)  # fmt: skip
def test_names_ids_and_prose_are_no_secrets(word: str) -> None:
    assert not is_secret(word)


def test_a_secret_comes_from_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOME_KEY", f" {PROVIDER_KEY}\n")
    assert secret_from("env:SOME_KEY").reveal() == PROVIDER_KEY


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(PROVIDER_KEY + "\n")
    assert secret_from(f"file:{tmp_path / 'key'}").reveal() == PROVIDER_KEY


def test_a_secret_comes_from_a_pipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(PROVIDER_KEY + "\n"))
    assert secret_from("-").reveal() == PROVIDER_KEY


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("env:NOT_SET_ANYWHERE", "no_variable"), ("env:", "bad_source"), ("file:", "bad_source"), ("", "bad_source"),
        ("hunter22hunter22", "bad_source"), ("vault:hunter22", "bad_source"), ("file:/nowhere/at/all", "bad_source"), ("file:/", "bad_source"),
        ("file:/dev/null", "empty_source"),
    ],
)  # fmt: skip
def test_a_source_that_gives_no_secret_is_a_usage_error(source: str, code: str) -> None:
    with pytest.raises(Failure) as refused:
        secret_from(source)
    assert refused.value.code == code
    assert refused.value.exit_code is Exit.USAGE
    assert "hunter22" not in two_lines(refused.value)


@pytest.mark.parametrize("content", [b"", b"  \n", b"\xff\xfe", b"a" * 9000])
def test_a_file_that_holds_no_key_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(Failure) as refused:
        secret_from(f"file:{tmp_path / 'key'}")
    assert refused.value.exit_code is Exit.USAGE


@pytest.mark.parametrize(
    "form", ["{}\n", "OPENAI_API_KEY={}", "export OPENAI_API_KEY={}\nOTHER=1", "Authorization: Bearer {}"]
)
def test_a_virtual_key_is_found_in_the_files_that_we_write(form: str, tmp_path: Path) -> None:
    key = minted()
    (tmp_path / "f").write_text(form.format(key))
    assert virtual_key(tmp_path / "f") == Secret(key)


@pytest.mark.parametrize(
    "text",
    ["", PROVIDER_KEY, minted()[:-1], minted(tokens.Kind.ADMIN), minted()[:-1] + "!"],
    ids=["empty", "provider", "cut", "admin", "altered"],
)
def test_nothing_else_is_taken_for_a_virtual_key(text: str, tmp_path: Path) -> None:
    (tmp_path / "f").write_text(text)
    assert not is_virtual_key(text)
    with pytest.raises(Failure):
        virtual_key(tmp_path / "f")


def test_an_env_file_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    file, key = tmp_path / ".env", minted()
    write_env(file, Secret(key), "http://127.0.0.1:4141")
    assert file.read_text() == f"OPENAI_API_KEY={key}\nOPENAI_BASE_URL=http://127.0.0.1:4141/v1\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_other_lines_of_an_env_file_stay_and_the_old_key_goes(tmp_path: Path) -> None:
    file, key = tmp_path / ".env", minted()
    file.write_text("# mine\nOPENAI_API_KEY=old\nexport OPENAI_API_KEY=older\nDEBUG=1\nOPENAI_BASE_URL=http://x/v1\n")
    file.chmod(0o644)
    write_env(file, Secret(key), "")
    assert file.read_text() == f"# mine\nDEBUG=1\nOPENAI_BASE_URL=http://x/v1\nOPENAI_API_KEY={key}\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("kind", ["link", "folder", "nowhere"])
def test_a_place_that_cannot_take_a_key_is_refused_before_one_is_made(kind: str, tmp_path: Path) -> None:
    file = tmp_path / "x" / ".env" if kind == "nowhere" else tmp_path / ".env"
    if kind == "link":
        file.symlink_to(tmp_path / "elsewhere")
    if kind == "folder":
        file.mkdir()
    with pytest.raises(Failure):
        probe_env(file)
    with pytest.raises(Failure):
        write_env(file, Secret(minted()), "")
    assert not (tmp_path / "elsewhere").exists()
