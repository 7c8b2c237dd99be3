"""Backups by a schedule: a real product takes one by itself, and the file is whole."""

import json
from pathlib import Path

import pytest
from tests.e2e.running import clean_environ, start, wait_for

HOURS = "CLAVERO_BACKUP_EVERY_HOURS"


def made(data: Path) -> list[Path]:
    return sorted((data / "backup").glob("*.clavero"))


@pytest.mark.parametrize("hours", ["24", "0"])
def test_a_backup_is_there_without_anybody_asking_only_where_the_setting_says_so(hours: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    running = start(data, environ=clean_environ(tmp_path) | {HOURS: hours})
    try:
        if hours == "0":
            assert running.chat().status == 200
            assert made(data) == []
            return
        (file,) = wait_for(lambda: made(data))
        verified = running.cli("db", "verify", str(file), "--json")
        assert json.loads(verified.stdout)["rows"] > 0
        said = [json.loads(line) for line in _log(data) if '"backed_up"' in line]
        assert [line["file"] for line in said] == [str(file)]
    finally:
        assert running.stop() == 0


def test_a_folder_that_takes_no_file_is_told_with_its_code(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir(mode=0o700)
    (data / "backup").write_text("in the way")
    running = start(data, environ=clean_environ(tmp_path) | {HOURS: "24"})
    try:
        line = json.loads(wait_for(lambda: [line for line in _log(data) if '"backup_failed"' in line])[0])
        assert line["code"]
        assert line["level"] == "error"
        assert running.chat().status == 200
    finally:
        assert running.stop() == 0


def _log(data: Path) -> list[str]:
    return [line for line in data.with_name(data.name + ".log").read_text().splitlines() if line.startswith("{")]
