"""The network's edges with real processes: TLS on both listeners, reloads under load, a proxy before us, one behind."""

import asyncio
import contextlib
import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.running import CHAT, CLAVERO, Answer, Running, clean_environ, fetch, start, wait_for
from tests.pairs import Made, make
from tests.proxy import Proxy, proxying

from clavero.testing.faults import FaultServer, answer, serve_faults

ALL = "0.0.0.0"
RELOADS = 20
PASSWORD = "hunter22"


@dataclass
class Tls:
    """A clavero over TLS, bound to every address, and its files."""

    running: Running
    made: Made

    def reload(self) -> None:
        self.running.process.send_signal(signal.SIGHUP)

    def serials(self) -> set[int]:
        """What both listeners show to new connections."""
        found = set()
        for url in (self.running.ready["gateway_url"], self.running.ready["admin_url"]):
            host, port = url.removeprefix("https://").rsplit(":", 1)
            found.add(shown(host, int(port)))
        return found

    def doctor(self) -> list[dict[str, Any]]:
        done = subprocess.run(
            [*CLAVERO, "doctor", "--json", "--data-dir", str(self.running.data)],
            capture_output=True, check=False, env=self.running.environ, timeout=60,
        )  # fmt: skip
        checks: list[dict[str, Any]] = json.loads(done.stdout)["checks"]
        return checks


def shown(host: str, port: int) -> int:
    from cryptography import x509

    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with socket.create_connection((host, port), 10) as sock, context.wrap_socket(sock) as tls:
        told = tls.getpeercert(binary_form=True)
    assert told
    return x509.load_der_x509_certificate(told).serial_number


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tls]:
    folder = tmp_path_factory.mktemp("tls")
    made = make(folder / "pair", ("127.0.0.1", "localhost"))
    running = start(folder / "data", "--gateway-host", ALL, "--admin-host", ALL, *made.flags, "--workers", "2")
    yield Tls(running, made)
    running.stop()


def test_both_listeners_speak_tls_and_so_do_all_who_use_them(tls: Tls) -> None:
    running = tls.running
    assert running.gateway.startswith("https://127.0.0.1:")
    assert running.chat().status == 200
    status = running.api("GET", "/status")
    assert status.json["tls"]["names"] == ["localhost", "127.0.0.1"]
    assert 80 < status.json["tls"]["days_left"] < 91
    assert [one["check"] for one in tls.doctor() if one["state"] != "ok"] == ["backup"]  # nobody took one yet
    here = [*CLAVERO, "smoke", "--stream", "--data-dir", str(running.data)]
    assert subprocess.run(here, check=False, env=running.environ, timeout=60, capture_output=True).returncode == 0


def test_the_command_line_trusts_whom_it_is_told_to_and_nobody_else(tls: Tls) -> None:
    running = tls.running
    refused = running.cli("key", "list", check=False)
    assert refused.returncode == 1
    assert "untrusted" in refused.stderr
    assert "CLAVERO_CA_FILE" in refused.stderr
    environ = {**running.environ, "CLAVERO_CA_FILE": str(tls.made.cert)}
    told = Running(running.data, running.process, running.ready, environ)
    assert "prod-support-chat-01" in told.cli("key", "list").stdout
    for wrong in ("/nowhere.pem", str(tls.made.key)):
        environ["CLAVERO_CA_FILE"] = wrong
        assert "ca_file" in told.cli("key", "list", check=False).stderr


def test_the_session_of_the_console_is_bound_to_tls(tls: Tls) -> None:
    link = tls.running.api("POST", "/link").json["link"]
    page, _, token = link.partition("#")
    origin = page.removesuffix("/sign-in")
    host, port = origin.removeprefix("https://").rsplit(":", 1)
    trust = tls.running.trust
    connection = http.client.HTTPSConnection(host, int(port), context=trust, timeout=30)
    form = {"content-type": "application/x-www-form-urlencoded", "origin": origin}
    connection.request("POST", "/sign-in", f"link={token}", form)
    said = connection.getresponse()
    cookie = said.getheader("set-cookie") or ""
    said.read()
    assert said.status == 303
    assert cookie.startswith("__Host-clavero=")
    assert "; Secure" in cookie
    assert said.getheader("strict-transport-security") == "max-age=31536000"
    connection.request("GET", "/", headers={"cookie": cookie.partition(";")[0]})
    home = connection.getresponse()
    assert (home.status, b"csrf" in home.read()) == (200, True)
    connection.close()


def test_plain_http_on_a_port_of_tls_reads_what_to_do(tls: Tls) -> None:
    for url in (tls.running.gateway, tls.running.admin):
        said = fetch(url.replace("https", "http") + "/v1/models", "GET", {}, None)
        assert (said.status, said.json["error"]["code"]) == (400, "tls_required")


def test_too_large_a_body_reads_its_413_over_tls_too(tls: Tls) -> None:
    running = tls.running
    headers = {"authorization": f"Bearer {running.token}", "content-type": "application/json"}
    said = fetch(running.admin + "/api/v1/keys", "POST", headers, b" " * 3_000_000, running.trust)
    assert (said.status, said.json["error"]["code"]) == (413, "body_too_large")


@dataclass
class Storm:
    """Callers without a pause, each on a connection of its own, half of them on a new one for each call."""

    running: Running
    trust: ssl.SSLContext
    answers: int = 0
    failures: list[str] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def call(self, *, keep: bool) -> None:
        host, port = self.running.gateway.removeprefix("https://").rsplit(":", 1)
        headers = {"authorization": f"Bearer {self.running.key}", "content-type": "application/json"}
        body = json.dumps({**CHAT, "max_tokens": 1})
        connection = http.client.HTTPSConnection(host, int(port), context=self.trust, timeout=60)
        while not self.done.is_set():
            try:
                connection.request("POST", "/v1/chat/completions", body, headers)
                said = connection.getresponse()
                said.read()
                self.answers += 1
                if said.status != 200:
                    self.failures.append(f"status {said.status}")
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                connection.close()
            if not keep:
                connection.close()
        connection.close()


def test_twenty_reloads_under_load_cost_nobody_a_call(tls: Tls) -> None:
    folder = tls.made.cert.parent
    trust = ssl.create_default_context()
    trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE  # it changes under them
    storm = Storm(tls.running, trust)
    threads = [threading.Thread(target=storm.call, kwargs={"keep": number % 2 == 0}) for number in range(6)]
    for thread in threads:
        thread.start()
    try:
        for number in range(RELOADS):
            tls.made = make(folder, kind="rsa" if number % 2 else "ec")
            tls.reload()
            wait_for(lambda: tls.serials() == {tls.made.serial}, 30)
    finally:
        storm.done.set()
        for thread in threads:
            thread.join(60)
    assert storm.failures == []
    assert storm.answers > RELOADS
    assert set(tls.running.children()) == {"gateway_main", "control_main", "simulator_main"}
    assert tls.running.chat().status == 200


def _answers(running: Running) -> bool:
    """Whether a call is answered; while a worker is away its port may still take connections."""
    with contextlib.suppress(OSError):
        return running.chat().status == 200
    return False


def test_new_files_that_are_not_good_leave_the_old_pair_and_doctor_says_so(tls: Tls) -> None:
    serial = tls.made.serial
    good = tls.made.cert.read_bytes()
    tls.made.cert.write_text("nothing")
    tls.reload()
    warned = wait_for(lambda: [one for one in tls.doctor() if one["check"] == "tls" and one["state"] == "warn"], 30)
    assert "PEM" in warned[0]["text"]
    assert f"kill -HUP {tls.running.process.pid}" in warned[0]["fix"]
    assert tls.serials() == {serial}
    os.kill(tls.running.children()["gateway_main"], signal.SIGKILL)  # a worker that starts anew has the old pair too
    wait_for(lambda: _answers(tls.running), 30)
    assert tls.serials() == {serial}
    tls.made.cert.write_bytes(good)
    tls.reload()
    wait_for(lambda: {one["state"] for one in tls.doctor() if one["check"] == "tls"} == {"ok"}, 30)


@pytest.mark.parametrize(
    ("flags", "code"),
    [
        (("--gateway-host", ALL), "exposed_in_the_clear"), (("--tls-cert", "x.pem", "--tls-key", "y.pem"), "tls_file_unreadable"),
        (("--behind-proxy", "::/0"), "bad_setting"),
    ],
)  # fmt: skip
def test_what_would_be_unsafe_or_cannot_be_is_one_line_at_the_start(
    flags: tuple[str, ...], code: str, tmp_path: Path
) -> None:
    words = [*CLAVERO, "up", "--data-dir", str(tmp_path / "d"), "--gateway-port", "0", "--admin-port", "0", *flags]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, env=clean_environ(tmp_path))
    assert done.returncode in {2, 7}
    assert f"[{code}]" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 2
    assert "fix: " in done.stderr


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("proxied")
    running = start(folder / "data", "--behind-proxy", "127.0.0.0/8")
    yield running
    running.stop()


SAID = {"x-forwarded-for": "198.51.100.1, 203.0.113.7", "x-forwarded-proto": "https", "host": "llm.example.com"}


def test_behind_a_proxy_records_and_audit_say_who_asked(proxied: Running) -> None:
    said = proxied.chat(**SAID)
    assert said.status == 200
    request_id = {name.lower(): value for name, value in said.headers.items()}["x-request-id"]
    assert proxied.api("GET", f"/requests/{request_id}").json["peer"] == "203.0.113.7"
    token = {"authorization": f"Bearer {proxied.token}", "content-type": "application/json"}
    made = fetch(proxied.admin + "/api/v1/teams", "POST", SAID | token, json.dumps({"name": "edge"}).encode())
    assert made.status == 201, made.body
    rows = proxied.api("GET", "/audit").json["rows"]
    assert any(row["address"] == "203.0.113.7" for row in rows)


def test_behind_a_proxy_the_console_needs_its_word_that_the_browser_spoke_tls(proxied: Running) -> None:
    def ask(**headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return fetch(proxied.admin + "/sign-in", "GET", named, None)

    assert ask(**{**SAID, "x-forwarded-proto": "http"}).json["error"]["code"] == "tls_required"
    assert ask(x_forwarded_for="203.0.113.7").status == 403
    assert ask().status == 403  # a proxy that says nothing asks for somebody all the same
    assert ask(**SAID).status == 200
    assert "strict-transport-security" in {name.lower() for name in ask(**SAID).headers}


def test_metrics_are_not_open_to_whom_a_proxy_lets_through(proxied: Running) -> None:
    assert fetch(proxied.admin + "/metrics", "GET", {}, None).status == 401


class Outside:
    """A provider over TLS that only the company's proxy can find, and that proxy."""

    def __init__(self, folder: Path) -> None:
        self.made = make(folder, ("api.corp.example",))
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(self.made.cert, self.made.key)
        self.proxy = Proxy()
        self.server: FaultServer | None = None
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))

    async def _serve(self) -> None:
        whole = {
            "id": "c1", "object": "chat.completion", "created": 1, "model": "gpt-4o-mini",
            "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "out"}}],
            "usage": {"prompt_tokens": 5, "completion_tokens": 1, "total_tokens": 6},
        }  # fmt: skip
        word = "Basic dXNlcjpodW50ZXIyMg=="
        async with (
            serve_faults(answer(json.dumps(whole).encode()), tls=self.context) as server,
            proxying(word) as proxy,
        ):
            self.server, self.proxy = server, proxy
            proxy.hosts["api.corp.example"] = server.port
            self._ready.set()
            await self._stop.wait()

    def __enter__(self) -> "Outside":
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(10)
        with contextlib.suppress(RuntimeError):
            self._loop.close()


def with_provider(running: Running) -> None:
    added = running.api(
        "POST", "/providers",
        {"name": "corp", "kind": "openai", "base_url": "https://api.corp.example", "models": ["gpt-4o-mini"]},
    )  # fmt: skip
    assert added.status == 201, added.body
    sealed = running.api("POST", "/providers/corp/credential", {"secret": "sk-" + "corp" * 6})
    assert sealed.status == 201, sealed.body


def ask_corp(running: Running) -> Answer:
    return running.post("/v1/chat/completions", {**CHAT, "model": "corp/gpt-4o-mini"})


def test_providers_are_called_through_the_companys_proxy_and_its_password_is_told_to_nobody(tmp_path: Path) -> None:
    with Outside(tmp_path / "out") as outside:
        environ = clean_environ(tmp_path) | {
            "HTTPS_PROXY": f"http://user:{PASSWORD}@127.0.0.1:{outside.proxy.port}",
            "SSL_CERT_FILE": str(outside.made.cert),
        }
        running = start(tmp_path / "data", "--log-level", "debug", environ=environ)
        try:
            with_provider(running)
            said = wait_for(lambda: (one := ask_corp(running)).status == 200 and one, 20)
            assert said.json["choices"][0]["message"]["content"] == "out"
            assert set(outside.proxy.asked) == {"CONNECT api.corp.example:443"}
            outside.proxy.authorization = "another"
            wait_for(lambda: _idle_ended(outside), 20)
            refused = ask_corp(running)
            assert (refused.status, refused.json["error"]["code"]) == (502, "upstream_proxy_failed")
            assert "407" in refused.json["error"]["message"]
            assert refused.json["error"]["message"].startswith("The proxy on the way to corp failed")
            here = running.post("/v1/chat/completions", {**CHAT, "model": "simulated/gpt-4o-mini"})
            assert here.status == 200  # the simulator is on this machine, and needs no proxy
            settings = running.api("GET", "/settings").body
            assert b"user:***@127.0.0.1" in settings
            for child in running.children().values():
                for told in ("environ", "cmdline"):
                    assert PASSWORD.encode() not in Path(f"/proc/{child}/{told}").read_bytes()
        finally:
            running.stop()
        written = b"".join(
            file.read_bytes() for file in [tmp_path / "data.log", *(tmp_path / "data").rglob("*")] if file.is_file()
        )
        for secret in (PASSWORD, "dXNlcjpodW50ZXIyMg"):
            assert secret.encode() not in written + settings + refused.body


def _idle_ended(outside: Outside) -> bool:
    """End the tunnels that are kept, so that the next call needs a new one."""
    asyncio.run_coroutine_threadsafe(outside.proxy.end(), outside._loop).result(10)
    time.sleep(0.2)
    return True
