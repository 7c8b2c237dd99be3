import os
import pty
import select
import subprocess
import sys
from pathlib import Path

import pytest

from clavero.domain.startup import StartFailure
from clavero.entrypoints.passphrases import ask, from_file, passphrases
from clavero.settings import Settings, Vault

WORDS = "correct horse battery staple"


def write(file: Path, content: bytes = WORDS.encode() + b"\n", mode: int = 0o600) -> Path:
    file.write_bytes(content)
    file.chmod(mode)
    return file


def settings(file: Path | None = None) -> Settings:
    return Settings(vault=Vault(passphrase_file=str(file) if file else ""))


@pytest.mark.parametrize("ending", [b"", b"\n", b"\r\n"], ids=["none", "unix", "windows"])
def test_a_passphrase_is_the_one_line_of_its_file(tmp_path: Path, ending: bytes) -> None:
    assert from_file(write(tmp_path / "f", WORDS.encode() + ending)).reveal() == WORDS
    assert from_file(write(tmp_path / "g", b" spaces stay " + ending)).reveal() == " spaces stay "


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"one\ntwo\n", b"a\0b", b"\xff\xfe", b"x" * 1025],
    ids=["empty", "blank", "lines", "nul", "bytes", "long"],
)
def test_a_file_that_holds_anything_else_is_refused_and_not_said_back(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(StartFailure) as caught:
        from_file(write(tmp_path / "f", content))
    assert caught.value.code == "passphrase_file"
    assert "two" not in str(caught.value)


def test_a_missing_file_or_a_directory_is_one_line(tmp_path: Path) -> None:
    for place in (tmp_path / "none", tmp_path):
        with pytest.raises(StartFailure) as caught:
            from_file(place)
        assert "\n" not in caught.value.message


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o620])
def test_a_file_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(StartFailure, match="others can read") as caught:
        from_file(write(tmp_path / "f", mode=mode))
    assert caught.value.fix == f"chmod 600 {tmp_path / 'f'}"


def test_the_mode_of_a_credential_is_the_service_managers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "clavero-passphrase", mode=0o440)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    found = passphrases(settings())
    assert found.given
    assert found.present().reveal() == WORDS
    assert found.new().reveal() == WORDS


def test_the_setting_comes_before_the_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "clavero-passphrase", b"of the credential")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert passphrases(settings(write(tmp_path / "f"))).present().reveal() == WORDS


def test_nothing_is_read_until_it_is_needed(tmp_path: Path) -> None:
    assert passphrases(settings(tmp_path / "none")).given
    assert not passphrases(settings()).given


def test_a_new_passphrase_comes_from_its_own_file_and_has_to_be_strong(tmp_path: Path) -> None:
    present, new = write(tmp_path / "present"), write(tmp_path / "new", b"another passphrase altogether\n")
    found = passphrases(settings(present), new_file=str(new))
    assert (found.present().reveal(), found.new().reveal()) == (WORDS, "another passphrase altogether")
    with pytest.raises(StartFailure) as caught:
        passphrases(settings(), new_file=str(write(tmp_path / "weak", b"short"))).new()
    assert caught.value.code == "passphrase_weak"


PROGRAM = """
from clavero.domain.startup import StartFailure
from clavero.entrypoints.passphrases import ask, passphrases
from clavero.settings import Settings
import sys
try:
    got = ask("Say it: ") if sys.argv[1] == "ask" else passphrases(Settings(), new_file="").new()
    print("got", got.reveal()[::-1])
except StartFailure as failure:
    print(failure.code)
"""


def typed(*lines: str, what: str = "ask") -> str:
    """What a terminal shows while these lines are typed at it."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(sys.executable, [sys.executable, "-c", PROGRAM, what])
    shown = b""
    waiting = list(lines)
    while True:
        ready, _, _ = select.select([terminal], [], [], 20)
        try:
            part = os.read(terminal, 4096) if ready else b""
        except OSError:
            part = b""
        if not part:
            break
        shown += part
        if waiting and shown.endswith(b": "):
            os.write(terminal, waiting.pop(0).encode() + b"\n")
    os.close(terminal)
    os.waitpid(pid, 0)
    return shown.decode()


def test_what_is_typed_at_a_terminal_is_taken_and_never_shown() -> None:
    shown = typed(WORDS)
    assert f"got {WORDS[::-1]}" in shown
    assert WORDS not in shown


def test_a_new_passphrase_is_typed_twice_and_has_to_be_the_same() -> None:
    assert f"got {WORDS[::-1]}" in typed(WORDS, WORDS, what="new")
    assert "passphrase_differs" in typed(WORDS, WORDS + "r", what="new")
    assert "passphrase_weak" in typed("short", what="new")


def test_without_a_terminal_nobody_is_asked() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, "ask"],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
        start_new_session=True,
    )
    assert done.stdout.strip() == "passphrase_needed"
    assert callable(ask)
