"""The canary hunt: secrets of every kind go in at every door, the right ones and the wrong ones; none may lie about."""

import base64
import http.client
import json
import os
import re
import signal
import urllib.parse
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tests.e2e.canaries import Hunter, cells, files, processes, provider_key, virtual_key
from tests.e2e.own_provider import NAME, PLAIN, TELLING, TELLING_STREAMS, introduce, own_provider
from tests.e2e.running import Answer, Running, clean_environ, fetch, start, wait_for

from clavero.domain.tokens import Kind

CHAT = "/v1/chat/completions"
MAY_HOLD = {"admin.token": "admin token", "seal/root.key": "root key"}  # file and the one canary that it is meant for


@dataclass
class Hunt:
    """One run: what was put in, and everything that came out of it."""

    running: Running
    hunter: Hunter
    answers: list[tuple[str, str]] = field(default_factory=list)

    def heard(self, what: str, answer: Answer, but: str = "") -> Answer:
        """Keep an answer, head and body; `but` is the secret that this one is there to hand out."""
        text = f"{answer.headers}\n{answer.body.decode('utf-8', 'replace')}".replace(but or "\0", "")
        self.answers.append((f"{what} -> {answer.status}", text))
        return answer

    def call(self, what: str, body: object, path: str = CHAT, **headers: str) -> Answer:
        return self.heard(what, self.running.post(path, body, **headers))

    def api(self, method: str, path: str, body: object = None, but: str = "") -> Answer:
        return self.heard(f"{method} {path.partition('?')[0][:20]}", self.running.api(method, path, body), but)

    def cli(self, *words: str, stdin: str = "") -> str:
        done = self.running.cli(*words, stdin=stdin, check=False)
        assert "Traceback" not in done.stderr, done.stderr
        self.answers.append((f"clavero {words[0]} {words[1] if words[1:] else ''}", done.stdout + done.stderr))
        return done.stdout


# --- what a whole run does


def hand_out_keys(hunt: Hunt, folder: Path) -> dict[str, str]:
    """Virtual keys by every way in which one can be had; each secret goes to one reader, once."""
    running, learn = hunt.running, hunt.hunter.learn
    made = running.api("POST", "/keys", {"name": "prod-canary-01", "owner": "asha", "features": ["reply"]})
    keys = {"api": learn("key of the API", made.json["secret"])}
    hunt.heard("POST /keys", made, keys["api"])
    hunt.cli("key", "create", "prod-canary-02", "--owner", "asha", "--env-file", str(folder / ".env"))
    keys["env"] = learn("key of an env file", re.findall(r"clvk_\w+", (folder / ".env").read_text())[0])
    rotated = running.api("POST", "/keys/prod-canary-02/rotate", {"grace": "24h"})
    keys["rotated"] = learn("key of a rotation", rotated.json["secret"])
    hunt.heard("rotate", rotated, keys["rotated"])
    for demo in running.ready["keys"]:
        learn("key of the demo", Path(demo["key_file"]).read_text())
    return keys


def visit_console(hunt: Hunt) -> str:
    """Sign in with a link, make a key, search for one by its whole text; returns the key."""
    running, learn = hunt.running, hunt.hunter.learn
    link = running.cli("open").stdout.strip().rpartition("#")[2]
    learn("link", link)
    door = {"origin": running.admin, "content-type": "application/x-www-form-urlencoded"}
    wrong = hunt.hunter.learn("link that was never one", virtual_key(Kind.BOOTSTRAP))

    def send(method: str, path: str, form: dict[str, str] | None = None, cookie: str = "") -> Answer:
        body = urllib.parse.urlencode(form) if form is not None else None
        connection = http.client.HTTPConnection(running.admin.removeprefix("http://"), timeout=20)
        try:
            connection.request(method, path, body, {**door, "cookie": cookie})
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.headers.items()), answer.read())
        finally:
            connection.close()

    hunt.heard("a wrong link", send("POST", "/sign-in", {"link": wrong}))
    entered = send("POST", "/sign-in", {"link": link})
    cookie = entered.headers["set-cookie"].partition(";")[0]
    session = learn("session", cookie.partition("=")[2])
    hunt.heard("sign in", entered, session)
    hunt.heard("a link that is used up", send("POST", "/sign-in", {"link": link}))
    page = send("GET", "/keys/new", None, cookie)
    csrf = re.search(rb'name="csrf" value="([^"]+)"', page.body)
    assert csrf, page.body
    form = {"csrf": csrf[1].decode(), "name": "prod-canary-03", "owner": "asha"}
    shown = send("POST", "/keys", form, cookie)
    found = re.search(r"clvk_prod_\w{12}_\w{49}", shown.body.decode())
    assert found, shown.body
    key = learn("key of the console", found[0])
    hunt.heard("the page of a new key", shown, key)
    for pasted in (key, wrong):
        told = urllib.parse.quote(pasted)
        for path in (
            f"/find?q={told}",
            f"/keys?q={told}",
            f"/requests?key={told}",
            f"/keys/{told}",
            f"/requests/{told}",
        ):
            send("GET", path, None, cookie)  # the page says a search back to the one who typed it; nothing may keep it
        reason = {"csrf": form["csrf"], "reason": f"it was {pasted}", "grace": "24h", "typed": pasted}
        send("POST", "/keys/prod-canary-03/rotate", {**reason, "grace": pasted}, cookie)
        send("POST", "/keys/prod-canary-03/disable", reason, cookie)
        send("POST", "/keys", {**form, "name": pasted, "owner": pasted, "service": pasted}, cookie)
    for path in ("/", "/keys", "/keys/prod-canary-03", "/requests"):
        hunt.heard(f"page {path}", send("GET", path, None, cookie))
    return key


def paste_into_calls(hunt: Hunt, key: str) -> None:
    """Keys where callers put them by mistake."""
    learn = hunt.hunter.learn
    told = {"model": PLAIN, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}
    for name, make in (("ours", virtual_key), ("a provider's", provider_key)):
        wrong = {place: learn(f"{name}, {place}", make()) for place in (
            "query", "path", "model", "long model", "feature", "member", "nested", "prompt", "basic", "bearer", "x-api-key",
            "cookie", "agent", "request id", "trace", "idempotency", "method", "malformed", "fragment", "header name",
        )}  # fmt: skip
        mine = {"authorization": f"Bearer {key}"}
        hunt.call("query", told, f"{CHAT}?key={wrong['query']}&api_key={wrong['query']}", **mine)
        hunt.call("path", told, f"/v1/{wrong['path']}", **mine)
        hunt.call("path of a deployment", told, f"/openai/deployments/{wrong['path']}/chat/completions", **mine)
        hunt.call("Gemini's path", told, f"/v1beta/models/{wrong['path']}:generateContent", **mine)
        hunt.call("model", {**told, "model": wrong["model"]}, **mine)
        hunt.call("model of a provider", {**told, "model": f"{NAME}/{wrong['model']}"}, **mine)
        for pad in (40, 90, 120, 170, 220, 470):
            hunt.call("long model", {**told, "model": "m" * pad + " " + wrong["long model"] * 3}, **mine)
        hunt.call("feature", told, x_clavero_feature=wrong["feature"], **mine)
        hunt.call("labels", told, x_clavero_tags=wrong["feature"], x_clavero_session=wrong["feature"], **mine)
        hunt.call(
            "member", {**told, "api_key": wrong["member"], wrong["nested"]: 1, "max_tokens": wrong["member"]}, **mine
        )
        hunt.call("user", {**told, "user": wrong["member"], "metadata": {"key": wrong["nested"]}}, **mine)
        hunt.call("prompt", {**told, "messages": [{"role": "user", "content": f"my key is {wrong['prompt']}"}]}, **mine)
        hunt.call("role", {**told, "messages": [{"role": wrong["member"], "content": "Hi"}]}, **mine)
        pair = base64.b64encode(f"user:{wrong['basic']}".encode()).decode()
        hunt.call("basic", told, authorization=f"Basic {pair}")
        hunt.call("bearer", told, authorization=f"Bearer {wrong['bearer']}")
        hunt.call("bearer twice", told, authorization=f"Bearer {wrong['bearer']} {wrong['bearer']}")
        hunt.call("x-api-key", told, authorization="", x_api_key=wrong["x-api-key"])
        hunt.call(
            "cookie", told, cookie=f"k={wrong['cookie']}", user_agent=wrong["agent"], referer=wrong["agent"], **mine
        )
        hunt.call("ids", told, x_request_id=wrong["request id"], x_client_request_id=wrong["request id"],
                  traceparent=wrong["trace"], idempotency_key=wrong["idempotency"], **mine)  # fmt: skip
        for body in (f'{{"model": "{wrong["malformed"]}', f'{wrong["malformed"]}', f'{{"model": 1, "x": {wrong["malformed"]}}}',
                     f'["{wrong["malformed"]}"]', f'{{"model":"own-plain","messages":"{wrong["malformed"]}"}}'):  # fmt: skip
            hunt.call("malformed", body.encode(), **mine)
        for head in (f"{wrong['method']} {CHAT} HTTP/1.1", f"POST http://u:{wrong['path']}@h{CHAT} HTTP/1.1",
                     f"POST {CHAT}#{wrong['fragment']} HTTP/1.1", f"POST {CHAT} HTTP/1.1\r\n{wrong['header name']}",
                     f"POST {CHAT} HTTP/1.1\r\nAuthorization : Bearer {wrong['bearer']}",
                     f"POST {CHAT} HTTP/1.1\r\nContent-Length: {wrong['malformed']}"):  # fmt: skip
            hunt.answers.append(("a raw head", raw(hunt.running, head)))


def raw(running: Running, head: str) -> str:
    import socket

    host, _, port = running.gateway.removeprefix("http://").partition(":")
    with socket.create_connection((host, int(port)), 10) as connection:
        connection.sendall(f"{head}\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        connection.settimeout(10)
        got = b""
        while piece := connection.recv(65536):
            got += piece
    return got.decode("utf-8", "replace")


def paste_into_changes(hunt: Hunt) -> None:
    """Keys where operators put them by mistake: the API and the command line."""
    learn = hunt.hunter.learn
    for name, make in (("ours", virtual_key), ("a provider's", provider_key)):
        wrong = {place: learn(f"{name}, {place}", make()) for place in (
            "reason", "key name", "owner", "service", "team", "scope", "limit", "url", "provider name", "token", "find",
            "words", "budget", "price", "json",
        )}  # fmt: skip
        key = {"name": "prod-canary-09", "owner": "asha"}
        hunt.api("POST", "/keys", {**key, "name": wrong["key name"]})
        hunt.api("POST", "/keys", {**key, "owner": wrong["owner"], "purpose": wrong["owner"]})
        hunt.api("POST", "/keys", {**key, "service": wrong["service"], "team": wrong["team"], "project": wrong["team"]})
        hunt.api("POST", "/keys", {**key, "models": [wrong["scope"]], "endpoints": [wrong["scope"]]})
        hunt.api("POST", "/keys", {**key, "features": [wrong["scope"]], "expires_in": wrong["limit"]})
        hunt.api("POST", "/keys", {**key, "limit": wrong["limit"], "environment": wrong["team"], wrong["json"]: 1})
        hunt.api("POST", "/keys/prod-canary-02/disable", {"reason": f"leaked: {wrong['reason']}"})
        hunt.api("POST", "/keys/prod-canary-02/enable", {"reason": wrong["reason"]})
        hunt.api("DELETE", f"/providers/nobody?reason={wrong['reason']}")
        hunt.api("PATCH", "/keys/prod-canary-02", {"owner": wrong["owner"], "add_models": [wrong["scope"]]})
        hunt.api("POST", "/services", {"name": wrong["service"], "team": wrong["team"]})
        hunt.api("POST", "/teams", {"name": wrong["team"]})
        provider = {"name": "elsewhere", "kind": "openai", "base_url": f"https://u:{wrong['url']}@api.example.com"}
        hunt.api("POST", "/providers", provider)
        hunt.api("POST", "/providers", {**provider, "base_url": f"https://api.example.com/v1?key={wrong['url']}"})
        hunt.api("POST", "/providers", {**provider, "name": wrong["provider name"], "models": [wrong["provider name"]]})
        hunt.api("POST", f"/providers/{wrong['provider name']}/credential", {"secret": wrong["provider name"]})
        hunt.api(
            "PUT", "/budgets", {"subject": "key", "name": wrong["budget"], "window": "day", "limit": wrong["budget"]}
        )
        hunt.api("PUT", f"/prices/{NAME}/{wrong['price']}", {"input": wrong["price"]})
        hunt.api("PUT", f"/models/{wrong['price']}", {"provider": wrong["price"], "served": wrong["price"]})
        for path in ("/keys/{0}", "/keys?owner={0}", "/requests?key={0}&model={0}", "/requests/{0}", "/explain/{0}",
                     "/usage?by={0}&since={0}", "/{0}"):  # fmt: skip
            hunt.api("GET", path.format(wrong["find"]))
        sent = {"authorization": f"Bearer {wrong['token']}", "content-type": "application/json"}
        for body in (b"{}", f'{{"reason": {wrong["json"]}'.encode(), wrong["json"].encode()):
            hunt.heard("a wrong token", fetch(f"{hunt.running.admin}/api/v1/keys", "POST", sent, body))
        hunt.cli("credential", "add", NAME, "--from", wrong["words"])
        hunt.cli("credential", "add", NAME, "--from", f"env:{wrong['words']}")
        hunt.cli("key", "create", wrong["words"], "--owner", "asha")
        hunt.cli("key", "disable", "prod-canary-02", f"--reason=it was {wrong['words']}")
        hunt.cli("explain", wrong["words"])


def provoke_provider(hunt: Hunt, key: str) -> None:
    """A provider that says the key it was sent back, in errors and in streams."""
    told = {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 5}
    mine = {"authorization": f"Bearer {key}"}
    for model in TELLING:
        for path, more in ((CHAT, {}), ("/v1/messages", {}), ("/v1/responses", {"input": "Hi"})):
            answer = hunt.call(model, {**told, **more, "model": model}, path, **mine)
            assert answer.status >= 400
    for model in TELLING_STREAMS:
        hunt.call(model, {**told, "model": model, "stream": True}, **mine)
        hunt.call(model, {**told, "model": model, "stream": True}, "/v1/messages", **mine)


def read_everything(hunt: Hunt) -> None:
    """Every page of the API that takes no name, the metrics, and what the command line tells."""
    described = fetch(f"{hunt.running.admin}/api/v1/openapi.json", "GET", {}, None).json
    endless = {"/api/v1/requests/tail"}
    paths = [path for path, verbs in described["paths"].items() if "get" in verbs and "{" not in path]
    assert len(paths) > 10
    for path in sorted({*paths} - endless):
        hunt.api("GET", path.removeprefix("/api/v1"))
    for name in ("prod-canary-01", "prod-canary-02", "prod-canary-03"):
        assert hunt.api("GET", f"/keys/{name}").status == 200
    for row in hunt.running.api("GET", "/requests?limit=500").json["requests"]:
        hunt.api("GET", f"/requests/{row['request_id']}")
    hunt.heard("metrics", fetch(f"{hunt.running.admin}/metrics", "GET", {}, None))
    for words in (["key", "list"], ["key", "show", "prod-canary-02"], ["credential", "list"], ["provider", "list"],
                  ["settings"], ["doctor"], ["vault", "status", "--verify"], ["audit", "verify"], ["audit", "list"], ["usage"], ["request", "list"]):  # fmt: skip
        hunt.cli(*words)


def crash(hunt: Hunt, part: str) -> None:
    running = hunt.running
    old = running.children()[part]
    os.kill(old, signal.SIGKILL)
    wait_for(lambda: running.children().get(part) not in {None, old}, 20)

    def serves() -> bool:
        try:
            return bool(running.api("GET", "/status").status == 200 and running.chat().status == 200)
        except OSError:
            return False

    wait_for(serves, 30)


@pytest.fixture(scope="module")
def hunt(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hunt]:
    """Everything of a whole run, with every canary in it; still running, so that memory maps and WAL are there."""
    folder = tmp_path_factory.mktemp("hunt")
    hunter = Hunter()
    named = hunter.learn("provider's key in the environment", provider_key())
    around = hunter.learn("provider's key around the start", provider_key())
    running = start(
        folder / "data", "--log-level", "debug", environ={**clean_environ(folder), "OPENAI_API_KEY": around}
    )
    try:
        hunt = Hunt(running, hunter)
        hunter.learn("admin token", running.token)
        hunter.learn("root key", (running.data / "seal" / "root.key").read_text())
        running.environ["OWN_KEY"] = named
        with own_provider() as address:
            introduce(running, address, lambda: hunt.cli("credential", "add", NAME, "--from", "env:OWN_KEY"))
            piped = hunter.learn("provider's key from a pipe", provider_key("sk-ant-"))
            hunt.cli("credential", "add", NAME, "--from", "-", stdin=piped)
            for budget in running.api("GET", "/budgets").json["budgets"]:  # none left: unpriced models are called too
                assert running.api("DELETE", f"/budgets/{budget['id']}").status == 200
            keys = hand_out_keys(hunt, folder)
            keys["console"] = visit_console(hunt)
            paste_into_calls(hunt, keys["api"])
            provoke_provider(hunt, keys["api"])
            paste_into_changes(hunt)
            crash(hunt, "gateway_main")
            provoke_provider(hunt, keys["api"])
            crash(hunt, "control_main")
            assert hunt.api("POST", "/keys/prod-canary-01/revoke", {"reason": "leak"}).status == 200
            wait_for(lambda: hunt.call("revoked", {}, authorization=f"Bearer {keys['api']}").status == 401)
            read_everything(hunt)
            heard = {what for what, _ in hunt.answers}
            for what in ("prompt -> 200", "ids -> 200", "model of a provider -> 200", "own-tell-stream -> 200",
                         "own-tell-401 -> 502", "malformed -> 400", "bearer -> 401", "revoked -> 401"):  # fmt: skip
                assert what in heard, sorted(heard)
            yield hunt
    finally:
        running.stop()


def told(found: list[str]) -> str:
    return "\n".join(found)


def test_no_file_holds_what_it_is_not_meant_to(hunt: Hunt) -> None:
    found = []
    for name, data in files(hunt.running.data):
        but = ["key of the demo"] if name.startswith("demo/") else [MAY_HOLD.get(name, "")]
        found += hunt.hunter.hunt(name, data, but)
    assert not found, told(found)


def test_no_column_holds_a_secret(hunt: Hunt) -> None:
    found = [one for name, data in cells(hunt.running.data / "clavero.db") for one in hunt.hunter.hunt(name, data)]
    assert not found, told(found)


def test_no_line_of_a_log_holds_a_secret(hunt: Hunt) -> None:
    log = hunt.running.data.with_name("data.log").read_text()
    assert '"level":"debug"' in log or '"level":"info"' in log
    found = [
        one for n, line in enumerate(log.splitlines(), 1) for one in hunt.hunter.hunt(f"line {n}: {line[:80]}", line)
    ]
    assert not found, told(found)


def test_no_answer_says_a_secret(hunt: Hunt) -> None:
    found = [one for what, text in hunt.answers for one in hunt.hunter.hunt(what, text)]
    assert not found, told(found)


def test_no_process_shows_a_secret(hunt: Hunt) -> None:
    children = hunt.running.children()
    assert set(children) == {"gateway_main", "control_main", "simulator_main"}
    shown = [*processes({**children, "up": hunt.running.process.pid}, "cmdline"), *processes(children, "environ")]
    assert len(shown) >= 4
    found = [one for what, data in shown for one in hunt.hunter.hunt(what, data)]
    assert not found, told(found)


def test_the_hunter_finds_what_is_where_it_belongs(hunt: Hunt) -> None:
    """The same search without its exceptions finds the three that lie in files of their own."""
    held = {one for name, data in files(hunt.running.data) for one in hunt.hunter.hunt(name, data)}
    assert "admin token in admin.token" in held
    assert "root key in seal/root.key" in held
    assert "key of the demo in demo/header" in held


@pytest.mark.parametrize("encode", [
    lambda raw: raw, lambda raw: b"xy" + raw, bytes.hex, lambda raw: raw.hex().upper(), base64.b64encode,
    lambda raw: base64.b64encode(b"a" + raw), lambda raw: base64.urlsafe_b64encode(b"user:" + raw),
    lambda raw: base64.b64encode(b"ab" + raw + b"tail"), lambda raw: "".join(f"%{byte:02X}" for byte in raw),
    lambda raw: raw[:34] + b"***", lambda raw: b"..." + raw[-25:],
])  # fmt: skip
def test_the_hunter_finds_a_planted_canary(encode: object, tmp_path: Path) -> None:
    assert callable(encode)
    hunter = Hunter()
    planted = encode(hunter.learn("planted", provider_key()).encode())
    raw = planted.encode() if isinstance(planted, str) else planted
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "segment.bin").write_bytes(b"\0" * 100_000 + b"\x93\xa5" + raw + b"\0" * 4096)
    (tmp_path / "clean").write_text(json.dumps({"kid": virtual_key()[:22], "key": "sk-proj-***"}))
    found = [one for name, data in files(tmp_path) for one in hunter.hunt(name, data)]
    assert found == ["planted in deep/segment.bin"]
