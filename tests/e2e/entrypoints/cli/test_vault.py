"""Who unlocks the vault, as real processes: seals that move, passphrases that open and that do not."""

import subprocess
from pathlib import Path

import pytest
from tests.e2e.running import CLAVERO, clean_environ, start

WORDS, OTHERS = "correct horse battery staple", "another passphrase altogether"


def private(file: Path, text: str) -> str:
    file.write_text(text + "\n")
    file.chmod(0o600)
    return str(file)


def clavero(folder: Path, *words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*CLAVERO, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        env=clean_environ(folder) | environ, cwd=folder, start_new_session=True,
    )  # fmt: skip


def refused(done: subprocess.CompletedProcess[str], code: str, exit_code: int = 7) -> None:
    """One line and a remedy, nothing else."""
    assert done.returncode == exit_code, done.stderr
    assert f"[{code}]" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2
    assert "Traceback" not in done.stderr
    assert WORDS not in done.stderr
    assert OTHERS not in done.stderr


@pytest.mark.timeout(180)
def test_a_vault_under_a_passphrase_opens_with_it_alone_and_moves_back_to_a_file(tmp_path: Path) -> None:
    data, words, others = tmp_path / "data", private(tmp_path / "words", WORDS), private(tmp_path / "others", OTHERS)
    at = ("--data-dir", str(data))
    up = ("up", "--gateway-port", "0", "--admin-port", "0", *at)
    done = clavero(tmp_path, "vault", "seal", "passphrase", "--new-passphrase-file", words, *at)
    assert done.returncode == 0, done.stderr
    sealed = (data / "seal" / "root.key").read_bytes()
    assert b"clavero-root-key-v1" not in sealed
    running = start(data, environ=clean_environ(tmp_path) | {"CREDENTIALS_DIRECTORY": str(credentials(tmp_path))})
    try:
        assert running.chat().status == 200
        refused(clavero(tmp_path, "vault", "seal", "file", "--passphrase-file", words, *at), "already_running", 9)
    finally:
        assert running.stop() == 0
    refused(clavero(tmp_path, *up), "passphrase_needed")
    refused(clavero(tmp_path, *up, "--passphrase-file", others), "wrong_passphrase")
    assert (data / "seal" / "root.key").read_bytes() == sealed
    assert clavero(tmp_path, "vault", "seal", "file", "--passphrase-file", words, *at).returncode == 0
    assert b"clavero-root-key-v1" in (data / "seal" / "root.key").read_bytes()
    refused(clavero(tmp_path, *up, "--passphrase-file", words), "passphrase_unused")


def credentials(folder: Path) -> Path:
    """As a service manager hands it over."""
    place = folder / "credentials"
    place.mkdir()
    (place / "clavero-passphrase").write_text(WORDS)
    return place


def test_a_passphrase_is_no_argument_and_no_variable(tmp_path: Path) -> None:
    for words, environ in ((["--passphrase", WORDS], {}), ([], {"CLAVERO_VAULT_PASSPHRASE": WORDS})):
        done = clavero(tmp_path, "up", *words, **environ)
        assert done.returncode == 2, done.stderr
        assert WORDS not in done.stderr
        assert "PASSPHRASE_FILE" in done.stderr.upper().replace("-", "_")
