"""The process of the control plane."""

import subprocess
import time
from pathlib import Path

from tests.e2e.running import CLAVERO, clean_environ, start


def test_a_wrong_root_key_is_one_line_and_changes_nothing(tmp_path: Path) -> None:
    running = start(tmp_path / "data")
    running.stop()
    seal = tmp_path / "data" / "seal" / "root.key"
    kept = seal.read_bytes()
    seal.unlink()
    other = start(tmp_path / "other")
    other.stop()
    seal.write_bytes((tmp_path / "other" / "seal" / "root.key").read_bytes())
    seal.chmod(0o600)
    began = time.monotonic()
    done = subprocess.run(
        [*CLAVERO, "up", "--demo", "--data-dir", str(tmp_path / "data"), "--gateway-port", "0", "--admin-port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=clean_environ(tmp_path),
    )
    assert done.returncode == 7, done.stderr
    assert "[wrong_root_key]" in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - began < 60
    seal.write_bytes(kept)
    again = start(tmp_path / "data")
    try:
        assert again.chat().status == 200
    finally:
        again.stop()
