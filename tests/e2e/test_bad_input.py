"""What callers send by mistake or in bad faith, to the real processes: a clean refusal each, and nothing in the log."""

import json
import socket
import threading
import time
import urllib.parse

import pytest
from tests.e2e.running import Answer, Running, fetch, wait_for

MIB = 1024 * 1024
DIALECTS = {
    "/v1/chat/completions": {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]},
    "/v1/responses": {"model": "gpt-4o-mini", "input": "Hi"},
    "/v1/messages": {"model": "claude-sonnet-4-5", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]},
}
BAD_BODIES = {
    "nothing": b"",
    "half": b'{"model": "gpt-4o-mini", "mess',
    "no object": b"[1, 2]",
    "no JSON": b"model=gpt-4o-mini",
    "NaN": b'{"model": "gpt-4o-mini", "temperature": NaN}',
    "infinity": b'{"model": "gpt-4o-mini", "temperature": -Infinity}',
    "beyond all numbers": b'{"model": "gpt-4o-mini", "temperature": 1e999}',
    "lone surrogate": b'{"model": "gpt-4o-mini", "user": "\\ud800"}',
    "not UTF-8": b'{"model": "gpt-4o-mini", "user": "\xff\xfe"}',
    "byte order mark": b'\xef\xbb\xbf{"model": "gpt-4o-mini"}',
    "nested 5,000 deep": b'{"model": "gpt-4o-mini", "metadata": ' + b"[" * 5000 + b"]" * 5000 + b"}",
    "objects 5,000 deep": b'{"model": "gpt-4o-mini", "metadata": ' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"}",
    "never closed": b"[" * 100_000,
    "two values": b'{"model": "gpt-4o-mini"} {}',
    "wrong kinds": b'{"model": 7, "messages": "Hi", "input": 8}',
    "negative cap": b'{"model": "gpt-4o-mini", "messages": [], "input": [], "max_tokens": -1, "max_output_tokens": -1}',
    "a number of 5,000 digits": b'{"model": "gpt-4o-mini", "seed": ' + b"9" * 5000 + b"}",
    "a model of a megabyte": b'{"model": "' + b"m" * MIB + b'"}',
}


def speaks(path: str, answer: Answer) -> str:
    """The code of a refusal, which stands in the dialect of the path."""
    told = answer.json
    assert {name.lower() for name in answer.headers} >= {"x-request-id", "request-id"}
    if path == "/v1/messages":
        assert told["type"] == "error"
        assert told["request_id"]
    error = told["error"]
    assert error["type"]
    assert error["message"]
    return str(error["details"]["error_code"] if path == "/v1/messages" else error["code"])


@pytest.fixture(autouse=True)
def served(clavero: Running) -> None:
    """The worker knows the demo's keys."""
    wait_for(lambda: clavero.chat().status == 200)


@pytest.mark.requirement(33)
@pytest.mark.parametrize("path", DIALECTS)
def test_a_bad_body_is_refused_in_the_caller_s_dialect_and_recorded(clavero: Running, path: str) -> None:
    refused = {}
    for what, body in BAD_BODIES.items():
        answer = clavero.post(path, body)
        assert answer.status == 400, (what, answer.status, answer.body[:300])
        assert speaks(path, answer), what
        refused[what] = answer.headers["x-request-id"]
    for what, request_id in refused.items():
        assert wait_for(lambda asked=request_id: clavero.api("GET", f"/requests/{asked}").status == 200), what
    assert clavero.post(path, DIALECTS[path]).status == 200


@pytest.mark.parametrize("path", DIALECTS)
def test_a_body_of_ten_mebibytes_and_one_byte_is_refused(clavero: Running, path: str) -> None:
    told = json.dumps(DIALECTS[path]).encode()
    whole = told[:-1] + b',"metadata":{"a":"' + b"x" * (10 * MIB + 1 - len(told) - 21) + b'"}}'
    head = (
        f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nauthorization: Bearer {clavero.key}\r\n"
    )
    status, _, body = talk(clavero, f"{head}content-length: {10 * MIB + 1}\r\n\r\n".encode() + whole)
    assert status == 413, body
    assert b"body_too_large" in body
    chunks = b"".join(b"%x\r\n%b\r\n" % (MIB, b"x" * MIB) for _ in range(11))
    status, _, body = talk(clavero, f"{head}transfer-encoding: chunked\r\n\r\n".encode() + chunks + b"0\r\n\r\n")
    assert status == 413, body
    assert clavero.post(path, DIALECTS[path]).status == 200


def talk(
    running: Running, data: bytes, pause: float = 0.0, step: int = 0, address: str = ""
) -> tuple[int, float, bytes]:
    """Send bytes (`step` at a time, with a pause between) and read to the end: status, seconds, body."""
    host, _, port = (address or running.gateway).removeprefix("http://").partition(":")
    began, got = time.monotonic(), b""
    with socket.create_connection((host, int(port)), 30) as connection:
        sending = threading.Thread(target=_send, args=(connection, data, pause, step or len(data)))
        sending.start()
        try:
            while piece := connection.recv(65536):
                got += piece
                if _is_whole(got):
                    break
        except ConnectionResetError:
            pass  # whoever sends on after a refusal is reset
        took = time.monotonic() - began
        connection.settimeout(0.1)
    sending.join()
    status = int(got.split(b" ", 2)[1]) if got else 0
    return status, took, got.partition(b"\r\n\r\n")[2]


def _send(connection: socket.socket, data: bytes, pause: float, step: int) -> None:
    try:
        for at in range(0, len(data), step):
            connection.sendall(data[at : at + step])
            if pause:
                time.sleep(pause)
    except OSError:
        return  # the other side has had enough


def _is_whole(got: bytes) -> bool:
    head, end, body = got.partition(b"\r\n\r\n")
    length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return bool(end and length and len(body) >= int(length[0].partition(b":")[2]))


def test_a_head_that_drips_is_ended_and_others_are_served_meanwhile(clavero: Running) -> None:
    found: list[tuple[int, float, bytes]] = []
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\n" + b"x-slow: 1\r\n" * 1000
    slow = [threading.Thread(target=lambda: found.append(talk(clavero, head, 0.2, 7))) for _ in range(5)]
    for thread in slow:
        thread.start()
    assert all(clavero.chat().status == 200 for _ in range(5))
    for thread in slow:
        thread.join(30)
    assert [status for status, _, _ in found] == [408] * 5, found
    assert all(took < 20 for _, took, _ in found)


def test_a_body_that_stops_halfway_harms_nobody(clavero: Running) -> None:
    head = f"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {clavero.key}\r\ncontent-length: 500\r\n\r\n"
    host, _, port = clavero.gateway.removeprefix("http://").partition(":")
    for _ in range(10):
        with socket.create_connection((host, int(port)), 10) as connection:
            connection.sendall(head.encode() + b'{"model": "gpt-4o')
    assert clavero.chat().status == 200
    in_flight = wait_for(lambda: clavero.api("GET", "/status").json)
    assert in_flight["rejects"] == 0


@pytest.mark.parametrize("path", ["/keys", "/providers", "/teams", "/budgets", "/prices/a/b", "/models/a"])
def test_the_admin_api_refuses_the_same_bodies_with_reasons(clavero: Running, path: str) -> None:
    method = "PUT" if path.startswith(("/budgets", "/prices", "/models")) else "POST"
    sent = {"authorization": f"Bearer {clavero.token}", "content-type": "application/json"}
    more = {
        "null byte": b'{"name": "a\\u0000b", "owner": "a\\u0000b", "reason": "\\u0000"}',
        "lone surrogates": b'{"name": "\\ud800", "owner": "\\udfff", "subject": "\\ud800", "input": "\\ud800"}',
        "numbers": b'{"name": 1e999, "owner": 5, "input": "1e9999", "limit": "1e400", "default_output_tokens": 1e400}',
        "deeper": b'{"name": ' * 60_000 + b"1" + b"}" * 60_000,
    }
    bodies = {what: body for what, body in {**BAD_BODIES, **more}.items() if len(body) < MIB}
    for what, body in bodies.items():
        answer = fetch(f"{clavero.admin}/api/v1{path}", method, sent, body)
        assert 400 <= answer.status < 500, (what, answer.status, answer.body[:300])
        error = answer.json["error"]
        assert error["code"], what
        assert error["message"], what
    assert clavero.api("GET", "/keys").status == 200


def test_the_admin_api_refuses_more_than_a_mebibyte_before_it_comes(clavero: Running) -> None:
    head = f"POST /api/v1/keys HTTP/1.1\r\nhost: 127.0.0.1\r\nauthorization: Bearer {clavero.token}\r\n"
    status, _, body = talk(clavero, f"{head}content-length: {MIB + 1}\r\n\r\n".encode(), address=clavero.admin)
    assert status == 413, body
    assert b"body_too_large" in body


ODD = ("\0", "\ud800".encode("utf-16", "surrogatepass").decode("latin-1"), "../../etc/passwd", "'; DROP TABLE key; --",
       "%", "ñ" * 300, "9" * 400, "-1", "1e400", "NaN", "x" * 5000)  # fmt: skip


@pytest.mark.parametrize("place", [
    "/api/v1/keys?state={0}", "/api/v1/keys?owner={0}&service={0}", "/api/v1/keys/{0}",
    "/api/v1/requests?limit={0}", "/api/v1/requests?before={0}&key={0}&status={0}&code={0}", "/api/v1/audit?limit={0}",
    "/api/v1/usage?by={0}", "/api/v1/usage?since={0}", "/api/v1/usage?until={0}", "/api/v1/prices?model={0}",
    "/api/v1/explain/{0}", "/api/v1/providers/{0}", "/api/v1/keys/prod-support-chat-01/why?model={0}&max_tokens={0}",
    "/errors/{0}", "/sign-in?next={0}", "/static/{0}", "/{0}",
])  # fmt: skip
def test_odd_words_in_an_address_are_refused_or_find_nothing(clavero: Running, place: str) -> None:
    sent = {"authorization": f"Bearer {clavero.token}"}
    for word in ODD:
        for written in (urllib.parse.quote(word, safe=""), "%ff%fe", "%ed%a0%80"):
            answer = fetch(clavero.admin + place.format(written), "GET", sent, None)
            assert answer.status < 500, (word[:30], written[:30], answer.status, answer.body[:300])


def test_an_odd_request_id_finds_nothing(clavero: Running) -> None:
    for word in ("%00", "%ff", "x" * 5000):  # each is waited for, since a record may be on its way
        assert 400 <= clavero.api("GET", f"/requests/{word}").status < 500


def test_nothing_of_all_this_was_a_fault_of_ours(clavero: Running) -> None:
    """The last one of the file: what the others sent has left neither a traceback nor a fault in the log."""
    log = clavero.data.with_name("data.log").read_text()
    assert "Traceback" not in log, log[log.index("Traceback") :][:3000]
    assert '"level":"error"' not in log, [line for line in log.splitlines() if '"level":"error"' in line][:3]
    assert set(clavero.children()) == {"gateway_main", "control_main", "simulator_main"}
