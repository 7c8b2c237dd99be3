"""Money under fire, with real processes: races, kills, and both books equal to the nano-dollar."""

import http.client
import json
import os
import signal
import sqlite3
import threading
import time
from pathlib import Path

import pytest
from tests.e2e.running import Running, start, wait_for

NANO = 10**9
BODY = json.dumps({"model": "gpt-4o-mini", "max_tokens": 1, "messages": [{"role": "user", "content": "Hi"}]}).encode()


def call(running: Running, key: str, body: bytes = BODY) -> tuple[int, str, bytes]:
    """One call on a connection of its own: status, request id, body. Raises OSError where no whole answer came."""
    host = running.gateway.removeprefix("http://")
    connection = http.client.HTTPConnection(host, timeout=20)
    try:
        connection.request(
            "POST", "/v1/chat/completions", body, {"authorization": f"Bearer {key}", "content-type": "application/json"}
        )
        answer = connection.getresponse()
        return answer.status, answer.headers.get("x-request-id", ""), answer.read()
    except http.client.HTTPException as error:
        raise OSError(str(error)) from error
    finally:
        connection.close()


def rows(running: Running, query: str) -> list[sqlite3.Row]:
    database = sqlite3.connect(running.data / "clavero.db", timeout=10)
    database.row_factory = sqlite3.Row
    try:
        return database.execute(query).fetchall()
    finally:
        database.close()


def at_rest(running: Running) -> bool:
    leased = rows(running, "SELECT coalesce(sum(leased), 0) + coalesce(sum(lost), 0) AS n FROM ledger")[0]["n"]
    return bool(leased == 0 and rows(running, "SELECT count(*) AS n FROM open_hold")[0]["n"] == 0)


def both_books_agree(running: Running) -> None:
    charged: dict[tuple[str, int], int] = {}
    for row in rows(running, "SELECT amounts FROM usage"):
        for budget, period, amount in json.loads(row["amounts"]):
            charged[budget, period] = charged.get((budget, period), 0) + amount
    for row in rows(running, "SELECT * FROM ledger"):
        assert charged.get((row["budget_id"], row["period_start"]), 0) == row["posted"], dict(row)
        assert row["posted"] <= row["limit_n"] + row["excess"]
        assert row["excess"] == 0


@pytest.mark.requirement(53)
def test_eight_clients_race_one_budget_and_it_holds(tmp_path: Path) -> None:
    running = start(tmp_path / "data")
    try:
        made = running.api("POST", "/keys", {"name": "prod-race-01", "owner": "asha"}).json
        limit = 40_000  # nano-USD: a call settles at about 1,650 and is held at about 30,000
        asked = {"subject": "key", "name": "prod-race-01", "window": "day", "limit_usd": f"{limit / NANO:.9f}"}
        assert running.api("PUT", "/budgets", asked).status in {200, 201}
        wait_for(lambda: call(running, made["secret"])[0] in {200, 429})
        seen: list[int] = []

        def client() -> None:
            seen.extend(call(running, made["secret"])[0] for _ in range(12))

        threads = [threading.Thread(target=client) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert set(seen) <= {200, 429, 503}
        assert seen.count(200) >= 1
        assert seen.count(429) >= 1
        wait_for(lambda: at_rest(running), 15)
        (row,) = rows(running, f"SELECT * FROM ledger WHERE budget_id LIKE 'key/{made['key']['kid']}%'")
        assert 0 < row["posted"] <= limit
        both_books_agree(running)
    finally:
        assert running.stop() == 0


class Load:
    """Callers that note every request whose whole answer they saw."""

    def __init__(self, running: Running, threads: int) -> None:
        self.acknowledged: dict[str, int] = {}
        self.refused: dict[int, int] = {}
        self.over = threading.Event()
        self._running = running
        self._key = running.key
        self._threads = [threading.Thread(target=self._call) for _ in range(threads)]
        for thread in self._threads:
            thread.start()

    def _call(self) -> None:
        while not self.over.is_set():
            try:
                status, request, _ = call(self._running, self._key)
            except OSError:
                time.sleep(0.01)
                continue
            if status == 200:
                self.acknowledged[request] = status
            else:
                self.refused[status] = self.refused.get(status, 0) + 1

    def stop(self) -> None:
        self.over.set()
        for thread in self._threads:
            thread.join()


def test_the_control_plane_may_die_and_inference_goes_on(tmp_path: Path) -> None:
    running = start(tmp_path / "data")
    try:
        load = Load(running, 4)
        for _ in range(3):
            pid = wait_for(lambda: running.children().get("control_main"), 20)
            before = len(load.acknowledged)
            os.kill(pid, signal.SIGKILL)
            wait_for(lambda before=before: len(load.acknowledged) > before + 10, 30)
            wait_for(lambda pid=pid: running.children().get("control_main") not in {None, pid}, 20)
        load.stop()
        assert not load.refused
        wait_for(lambda: at_rest(running), 30)
        kept = {row["request_id"] for row in rows(running, "SELECT request_id FROM usage WHERE final")}
        assert not set(load.acknowledged) - kept
        both_books_agree(running)
    finally:
        assert running.stop() == 0
