"""The trail of a real run: signed while it runs, proved by a file, and a rewritten one found."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.e2e.running import clean_environ, start, wait_for


def test_a_real_trail_is_signed_proved_and_a_rewritten_one_is_found(tmp_path: Path) -> None:
    witness = tmp_path / "elsewhere" / "checkpoints.jsonl"
    running = start(tmp_path / "data", environ=clean_environ(tmp_path) | {"CLAVERO_AUDIT_WITNESS": str(witness)})
    try:
        file, row = tmp_path / "trail.jsonl", tmp_path / "row.jsonl"
        wait_for(witness.exists, 20)
        assert running.cli("audit", "prove", "1", str(row)).returncode == 0
        told = json.loads(running.cli("audit", "export", str(file), "--json").stdout)
        key = told["signers"][0]
        for shown in (file, row):
            assert "as it was written" in running.cli("audit", "verify", str(shown), "--key", key).stdout
        assert running.cli("audit", "verify", str(file), "--key", "0" * 64, check=False).returncode == 1
        with closing(sqlite3.connect(running.data / "clavero.db")) as database:
            database.execute("DELETE FROM audit WHERE seq >= 2")
            database.commit()
        done = running.cli("audit", "verify", check=False)
        assert done.returncode == 1
        assert "row 2 is not as it was written: it was signed, and is gone" in done.stderr
    finally:
        running.stop()
