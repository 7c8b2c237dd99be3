"""A provider of the tests' own, on a port of this machine: slow where it is asked to be, and telling keys on.

What it does follows from the model: `own-slow` streams for a minute, `own-tell-*` says the key that it was sent back,
each in another place; anything else answers at once.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.e2e.running import Running

NAME = "own"
SLOW = "own-slow"
PLAIN = "own-plain"
TELLING = ("own-tell-401", "own-tell-429", "own-tell-500", "own-tell-html", "own-tell-header")
TELLING_STREAMS = ("own-tell-stream", "own-tell-cut", "own-tell-garbage")
_PACE, _STEPS = 0.1, 600


class _Talk(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", "0")))
        self.asked = json.loads(raw)
        model = str(self.asked["model"])
        sent = self.headers.get("authorization", "")
        if model == SLOW:
            self._stream(_slowly())
        elif model in TELLING_STREAMS:
            self._stream(_told(model, sent))
        elif model in TELLING:
            self._tell(model, sent)
        else:
            self._answer(200, json.dumps(_whole()).encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Nothing: this one is heard by what it answers."""

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"content-type": "application/json", **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _tell(self, model: str, sent: str) -> None:
        how = model.removeprefix("own-tell-")
        if how == "html":
            self._answer(502, f"<html><h1>Bad gateway</h1>{sent}</html>".encode(), content_type="text/html")
        elif how == "header":
            body = json.dumps({"error": {"message": "no", "type": "invalid_request_error", "code": None}}).encode()
            self._answer(
                400, body, x_request_id=sent.rsplit(maxsplit=1)[-1], openai_organization=sent, set_cookie=f"k={sent}"
            )
        else:
            told = {
                "message": f"Incorrect API key provided: {sent.rsplit(maxsplit=1)[-1]}.",
                "type": "error",
                "code": sent,
            }
            self._answer(int(how), json.dumps({"error": told}).encode(), retry_after="0")

    def _stream(self, events: Iterator[bytes]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            for event in events:
                self.wfile.write(event)
                self.wfile.flush()
        except OSError:
            pass  # the reader has left


def _slowly() -> Iterator[bytes]:
    for step in range(_STEPS):
        yield _event(_delta(f"word{step} "))
        time.sleep(_PACE)
    yield b"data: [DONE]\n\n"


def _told(model: str, sent: str) -> Iterator[bytes]:
    yield _event(_delta("It "))
    if model == "own-tell-stream":
        yield _event({"error": {"message": f"the key {sent} was refused", "type": "server_error", "code": sent}})
    elif model == "own-tell-garbage":
        yield f"data: {{broken {sent}\n\n".encode()


def _event(told: object) -> bytes:
    return b"data: " + json.dumps(told).encode() + b"\n\n"


def _delta(text: str) -> dict[str, object]:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return {"id": "chatcmpl-own", "object": "chat.completion.chunk", "created": 1, "model": "own", "choices": [choice]}


def _whole() -> dict[str, object]:
    message = {"role": "assistant", "content": "Hello."}
    return {
        "id": "chatcmpl-own", "object": "chat.completion", "created": 1, "model": "own",
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7},
    }  # fmt: skip


@contextmanager
def own_provider() -> Iterator[str]:
    """Serve; the address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Talk)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def introduce(running: Running, address: str, add_credential: Callable[[], object]) -> None:
    """Let a clavero know this provider, its models and their price."""
    provider = {"name": NAME, "kind": "openai_like", "base_url": address, "network": "loopback", "models": ["own-*"]}
    made = running.api("POST", "/providers", provider)
    assert made.status == 201, made.body
    add_credential()
    for model in (SLOW, PLAIN, *TELLING, *TELLING_STREAMS):
        price = {"input": "0.15", "output": "0.6"}
        answer = running.api("PUT", f"/prices/{NAME}/{model}", price)
        assert answer.status in {200, 201}, answer.body
