"""The whole product on PostgreSQL, with two workers: the same command with DATABASE_URL."""

from pathlib import Path

import pytest
from tests.contract.conftest import postgres_url as _postgres_url
from tests.e2e.running import clean_environ, start, wait_for

postgres_url = _postgres_url  # one server of this process, as the contract suites have it


@pytest.mark.timeout(120)
def test_a_first_and_a_second_start_on_a_server(tmp_path: Path, postgres_url: str) -> None:
    environ = {**clean_environ(tmp_path), "DATABASE_URL": postgres_url}
    for _ in range(2):
        running = start(tmp_path / "data", "--workers", "2", environ=environ)
        try:
            answer = running.chat()
            assert answer.status == 200
            request = answer.headers["x-request-id"]
            traced = wait_for(lambda running=running, request=request: running.api("GET", f"/requests/{request}"))
            assert traced.json["cost_nano_usd"] > 0
            assert running.api("GET", "/usage?by=service&since=1d").json["equal"]
            assert len(running.api("GET", "/status").json["workers"]) == 2
            key = running.api("POST", "/keys", {"name": "prod-mail-01", "owner": "asha"})
            assert key.status in {201, 409}
        finally:
            assert running.stop() == 0
    assert not (tmp_path / "data" / "clavero.db").exists()
