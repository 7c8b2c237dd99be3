"""A key is revoked while it is used: how long it still opens, measured on real processes."""

import threading
import time
from dataclasses import dataclass, field

import pytest
from tests.e2e.own_provider import introduce, own_provider
from tests.e2e.revoking import ASKED, STREAMS_CUT, OpenStream, made, until
from tests.e2e.running import Running

PROMISED, NOISE = 1.0, 2.0  # seconds to the first refusal; what a busy machine may add
PER_SECOND = 20


@dataclass
class Caller:
    """Calls with one key at a steady pace; notes when each was sent and how it was answered."""

    running: Running
    key: str
    answers: list[tuple[float, int, str]] = field(default_factory=list)  # sent at, status, code

    def __post_init__(self) -> None:
        self.over = threading.Event()
        self._threads: list[threading.Thread] = []
        self._pacing = threading.Thread(target=self._pace)
        self._pacing.start()

    def stop(self) -> None:
        self.over.set()
        self._pacing.join()
        for thread in self._threads:
            thread.join()

    def _pace(self) -> None:
        while not self.over.wait(1 / PER_SECOND):
            thread = threading.Thread(target=self._call)
            self._threads.append(thread)
            thread.start()

    def _call(self) -> None:
        sent = time.monotonic()
        answer = self.running.post("/v1/chat/completions", ASKED, authorization=f"Bearer {self.key}")
        code = "" if answer.status == 200 else answer.json["error"]["code"]
        self.answers.append((sent, answer.status, code))


@pytest.mark.requirement(73)
@pytest.mark.parametrize(("verb", "code"), [("revoke", "key_revoked"), ("disable", "key_disabled")])
def test_a_key_stops_opening_within_a_second_under_load(clavero: Running, verb: str, code: str) -> None:
    name = f"prod-{verb}-01"
    caller = Caller(clavero, made(clavero, name))
    try:
        assert until(lambda: sum(status == 200 for _, status, _ in caller.answers) >= PER_SECOND, 20)
        assert clavero.api("POST", f"/keys/{name}/{verb}", {"reason": "leak"}).status == 200
        told = time.monotonic()
        assert until(lambda: any(found == code for _, _, found in caller.answers), 15)
        time.sleep(1.0)
    finally:
        caller.stop()
    answers = sorted(caller.answers)
    first = next(sent for sent, _, found in answers if found == code)
    last = max(sent for sent, status, _ in answers if status == 200)
    print(f"{verb}: first refusal {(first - told) * 1000:+.0f} ms, last answer {(last - told) * 1000:+.0f} ms")
    assert last - told <= PROMISED + NOISE
    after = [(status, found) for sent, status, found in answers if sent > max(first, last)]
    assert after
    assert set(after) == {(401, code)}


@pytest.mark.requirement(73)
def test_open_streams_of_a_revoked_key_are_cut(clavero: Running) -> None:
    key = made(clavero, "prod-streams-01")
    other = made(clavero, "prod-streams-02")
    with own_provider() as address:
        introduce(clavero, address, lambda: clavero.api("POST", "/providers/own/credential", {"secret": "own-key-1"}))
        streams = [OpenStream(clavero, key) for _ in range(3)]
        bystander = OpenStream(clavero, other)
        everyone = [*streams, bystander]
        assert until(lambda: all(one.words >= 3 for one in everyone), 20), [one.read for one in everyone]
        assert clavero.api("POST", "/keys/prod-streams-01/revoke", {"reason": "leak"}).status == 200
        told = time.monotonic()
        for one in streams:
            one.thread.join(20)
        assert all(one.ended for one in streams)
        slowest = max(one.ended for one in streams) - told
        print(f"open streams cut after {slowest * 1000:.0f} ms")
        assert slowest <= STREAMS_CUT + NOISE
        for one in streams:
            assert b"[DONE]" not in one.read
            assert b"key_revoked" in one.read, "the caller is told why"
        heard = bystander.words
        assert until(lambda: bystander.words > heard + 3, 10), "another key's stream was cut too"
        bystander.leave()


@pytest.mark.requirement(73)
def test_a_revoked_key_stays_revoked_whatever_is_tried(clavero: Running) -> None:
    key = made(clavero, "prod-final-01")
    assert clavero.api("POST", "/keys/prod-final-01/revoke", {"reason": "leak"}).status == 200
    for verb, body in (("enable", {}), ("rotate", {"grace": "24h"}), ("disable", {"reason": "again"})):
        assert clavero.api("POST", f"/keys/prod-final-01/{verb}", body).status == 409, verb

    def code() -> str:
        answer = clavero.post("/v1/chat/completions", ASKED, authorization=f"Bearer {key}")
        return "" if answer.status == 200 else str(answer.json["error"]["code"])

    assert until(lambda: code() == "key_revoked", 5)
