"""Real processes: whoever leaves leaves keys behind, which work on, and by setting stop when nobody takes them over."""

from pathlib import Path

import pytest
from tests.e2e.running import clean_environ, start, wait_for

NAME = "prod-support-chat-01"
OTHER = "prod-support-summary-01"
SUSPEND = {"CLAVERO_ORGANISATION_TRANSFER_DAYS": "0", "CLAVERO_ORGANISATION_ORPHAN_KEYS": "suspend"}


@pytest.mark.requirement(74)
def test_keys_of_who_left_work_on_until_the_transfer_is_overdue_and_stop_by_setting(tmp_path: Path) -> None:
    data = tmp_path / "data"
    running = start(data)
    try:
        running.cli("member", "add", "bela")
        left = running.cli("member", "leave", "asha", "--reason", "another job")
        assert "2 keys work on" in left.stderr
        assert running.chat().status == 200
        assert running.cli("key", "create", "prod-mail-01", "--owner", "asha", check=False).returncode == 5
        doctor = running.cli("doctor", "--data-dir", str(data))
        assert "! owners" in doctor.stdout
        running.cli("member", "rejoin", "asha")
    finally:
        running.stop()
    running = start(data, environ=clean_environ(tmp_path) | SUSPEND)
    try:
        running.cli("member", "leave", "asha")
    finally:
        running.stop()
    running = start(data, environ=clean_environ(tmp_path) | SUSPEND)  # its first look comes at once
    try:
        wait_for(lambda: running.chat().status == 401, 20)
        assert running.chat().json["error"]["code"] == "key_disabled"
        wait_for(lambda: "keys_transfer_overdue" in data.with_name("data.log").read_text())
        assert running.cli("key", "enable", NAME, check=False).returncode == 5
        running.cli("member", "transfer", "asha", "--to", "bela")
        running.cli("key", "enable", NAME)
        wait_for(lambda: running.chat().status == 200)
        assert "disabled" in running.cli("key", "show", OTHER).stdout
    finally:
        running.stop()
