"""The trail of a real run: signed while it runs, proved by a file, and a rewritten one found."""

import contextlib
import json
import socket
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from msgspec.structs import replace
from tests.contract.aws import aws, client, credentials
from tests.e2e.running import clean_environ, start, wait_for

from clavero.domain.audit import BEGINNING, AuditRow, link


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


def test_a_trail_whose_house_was_taken_over_is_found_out_by_those_elsewhere(tmp_path: Path) -> None:
    """Who holds the machine rewrites the database and every file on it; the bucket and the collector still tell."""
    git(tmp_path, "init", "--quiet", "--bare", "theirs.git")
    git(tmp_path, "clone", "--quiet", "theirs.git", "ours")
    with aws(tmp_path) as endpoint, collector() as (port, lines):
        environ = clean_environ(tmp_path) | credentials(tmp_path)
        bucket = client("s3", endpoint)
        bucket.create_bucket(Bucket="trail", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        environ["CLAVERO_AUDIT_WITNESS"] = f"git:{tmp_path}/ours, s3://trail/prod"
        environ["CLAVERO_AUDIT_S3_ENDPOINT"] = endpoint
        environ["CLAVERO_AUDIT_SYSLOG"] = f"tcp://127.0.0.1:{port}"
        running = start(tmp_path / "data", environ=environ)
        try:
            wait_for(lambda: bucket.list_objects_v2(Bucket="trail").get("Contents"), 20)
            running.cli("team", "add", "payments", "--reason", "they pay")
            wait_for(lambda: any(b"they pay" in line for line in lines))
            assert b'"seq":1,' in lines[0]
            assert git(tmp_path / "theirs.git", "log", "--format=%s", "--all").startswith("Rows ")
            assert running.cli("audit", "verify").returncode == 0
            (running.data / "audit" / "checkpoints.jsonl").unlink()
            (tmp_path / "ours" / "checkpoints.jsonl").unlink()
            forge(running.data / "clavero.db")
            done = running.cli("audit", "verify", check=False)
            assert done.returncode == 1
            assert "row 1 is not as it was written" in done.stderr
        finally:
            running.stop()


def forge(database: Path) -> None:
    """Write the whole chain anew with another actor, so that each hash is right again."""
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        head = BEGINNING
        for found in connection.execute("SELECT * FROM audit ORDER BY seq").fetchall():
            row = link(replace(AuditRow(**dict(found)), actor="nobody"), head)
            head = row.hash
            connection.execute(
                "UPDATE audit SET actor = ?, previous = ?, hash = ? WHERE seq = ?",
                (row.actor, row.previous, row.hash, row.seq),
            )
        connection.commit()


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.strip()


@contextlib.contextmanager
def collector() -> Iterator[tuple[int, list[bytes]]]:
    """A collector on TCP: its port, and what it has heard, in pieces that end with a row."""
    lines: list[bytes] = []

    def read(sock: socket.socket) -> None:
        heard = b""
        with sock:
            while more := sock.recv(65536):
                heard += more
                lines[:] = heard.split(b"<109>1 ")[1:]

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                read(ear.accept()[0])

    with socket.create_server(("127.0.0.1", 0)) as ear:
        threading.Thread(target=accept, daemon=True).start()
        yield ear.getsockname()[1], lines
