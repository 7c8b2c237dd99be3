"""Two workers on one port: both answer, one budget holds across them, and the loss of one is hardly noticed."""

import json
import os
import signal
import sqlite3
import threading
import time
from collections.abc import Iterator

import pytest
from tests.e2e.running import Running, fetch, start, wait_for

SMALL = {"model": "gpt-4o-mini", "max_tokens": 1, "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = start(tmp_path_factory.mktemp("pair") / "data", "--workers", "2")
    wait_for(lambda: len(running.workers()) == 2)
    wait_for(lambda: all(call(running, running.key)[0] == 200 for _ in range(8)))
    yield running
    running.stop()


def call(running: Running, key: str) -> tuple[int, str, str]:
    """One call on a connection of its own: status (0: none came), request id, code."""
    sent = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    try:
        answer = fetch(running.gateway + "/v1/chat/completions", "POST", sent, json.dumps(SMALL).encode())
    except OSError:
        return 0, "", ""
    code = "" if answer.status == 200 else str(answer.json["error"]["code"])
    return answer.status, answer.headers["x-request-id"], code


def storm(running: Running, key: str, calls: int, at_once: int = 8) -> list[tuple[int, str, str]]:
    """So many calls from so many threads."""
    found: list[tuple[int, str, str]] = []

    def work() -> None:
        for _ in range(calls // at_once):
            found.append(call(running, key))  # noqa: PERF401 - threads share the list

    threads = [threading.Thread(target=work) for _ in range(at_once)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def test_both_workers_answer(pair: Running) -> None:
    found = storm(pair, pair.key, 64)
    assert {status for status, _, _ in found} == {200}
    assert len({request_id[-12:-6] for _, request_id, _ in found}) == 2, "each worker has its own part of an id"
    assert len({one["worker"] for one in pair.api("GET", "/status").json["workers"]}) == 2


def test_one_budget_holds_across_both(pair: Running) -> None:
    made = pair.api("POST", "/keys", {"name": "prod-pair-01", "owner": "asha"}).json
    limit = {"subject": "key", "name": "prod-pair-01", "window": "day", "limit_usd": "0.00006"}
    assert pair.api("PUT", "/budgets", limit).status in {200, 201}
    wait_for(lambda: all(call(pair, made["secret"])[0] != 401 for _ in range(4)))
    found = storm(pair, made["secret"], 240)
    paid = [request_id for status, request_id, _ in found if status == 200]
    assert paid
    assert {code for status, _, code in found if status != 200} <= {"insufficient_quota", "budget_busy"}
    assert any(status == 429 for status, _, _ in found), "the budget was never reached"
    for request_id in paid:
        wait_for(lambda asked=request_id: pair.api("GET", f"/requests/{asked}").status == 200)
    budget = next(one for one in pair.api("GET", "/budgets").json["budgets"] if one["name"] == "prod-pair-01")
    assert 0 < budget["spent_nano_usd"] <= 60_000


def test_a_killed_worker_is_covered_by_the_other_and_replaced(pair: Running) -> None:
    before = pair.workers()
    acknowledged: list[str] = []
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            status, request_id, _ = call(pair, pair.key)
            if status == 200:
                acknowledged.append(request_id)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        wait_for(lambda: len(acknowledged) > 10)
        os.kill(before[0], signal.SIGKILL)
        so_far = len(acknowledged)
        wait_for(lambda: len(acknowledged) > so_far + 10)
        wait_for(lambda: len(pair.workers()) == 2 and before[0] not in pair.workers(), 20)
    finally:
        over.set()
        for thread in threads:
            thread.join()
    for request_id in acknowledged:
        wait_for(lambda asked=request_id: pair.api("GET", f"/requests/{asked}").status == 200)


def test_a_worker_that_begins_while_nobody_can_write_waits_for_it(pair: Running) -> None:
    before = pair.workers()
    database = sqlite3.connect(pair.data / "clavero.db", isolation_level=None)
    try:
        database.execute("BEGIN IMMEDIATE")
        os.kill(before[0], signal.SIGKILL)
        (fresh,) = wait_for(lambda: len(pair.workers()) == 2 and set(pair.workers()) - set(before), 20)
        time.sleep(2.5)  # longer than a worker waits for the lock
        assert fresh in pair.workers()
    finally:
        database.close()
    wait_for(lambda: len(pair.api("GET", "/status").json["workers"]) == 2, 20)
    assert "Traceback" not in pair.data.with_name("data.log").read_text()


def test_a_revoked_key_is_refused_by_both(pair: Running) -> None:
    made = pair.api("POST", "/keys", {"name": "prod-pair-02", "owner": "asha"}).json
    wait_for(lambda: all(call(pair, made["secret"])[0] == 200 for _ in range(8)))
    assert pair.api("POST", "/keys/prod-pair-02/revoke", {"reason": "leak"}).status == 200
    wait_for(lambda: all(code == "key_revoked" for _, _, code in storm(pair, made["secret"], 16)), 5)
    assert {code for _, _, code in storm(pair, made["secret"], 32)} == {"key_revoked"}
