"""The client of `/api/v1`: where clavero is, what opens it, and what its refusals mean for the exit code.

No proxy of the environment is used and no redirect is followed: the admin token goes to the address that was named and
nowhere else, and over plain HTTP to this machine alone.
"""

import http.client
import json
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from msgspec import Struct

from clavero.domain import refusals
from clavero.domain.refusals import Refusal
from clavero.domain.secret import Secret
from clavero.domain.startup import Exit
from clavero.entrypoints.cli.failure import Failure, usage
from clavero.entrypoints.cli.speech import language, speak

Answer = dict[str, Any]
SECONDS = 30.0
_SILENT_SECONDS = 40.0  # a stream that lives says so every 15
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_BY_STATUS = {
    401: Exit.SIGN_IN, 403: Exit.REFUSED, 404: Exit.NOT_FOUND, 405: Exit.USAGE, 409: Exit.REFUSED, 422: Exit.USAGE,
}  # fmt: skip
_MOST_ANSWER = 256 * 1024 * 1024


class Trust(Struct, frozen=True):
    """How a server shows that it is the one: certificates beside the system's, and its name, "" for the URL's.

    What the file holds is trusted by itself; it need not be an authority.
    """

    ca_file: str = ""
    name: str = ""


class Place(Struct, frozen=True):
    """Where clavero answers, and the file of the token that opens it there. `gateway` is "" where it is not known."""

    url: str
    token_file: Path
    data: Path
    gateway: str = ""
    trust: Trust = Trust()


NOBODY = Trust()


class Api:
    """One clavero, asked one question at a time."""

    def __init__(self, place: Place, token: Secret, seconds: float = SECONDS) -> None:
        self.place = place
        self._token = token
        self._seconds = seconds

    def get(self, path: str, **query: object) -> Answer:
        """Ask; query values that are empty are left out."""
        asked = {name: str(value) for name, value in query.items() if value not in {"", None}}
        return self.send("GET", f"{path}?{urlencode(asked)}" if asked else path)

    def post(self, path: str, **body: object) -> Answer:
        """Change something; body values that are None, or empty lists or texts, are left out."""
        return self.send("POST", path, body)

    def put(self, path: str, **body: object) -> Answer:
        """Set something."""
        return self.send("PUT", path, body)

    def patch(self, path: str, **body: object) -> Answer:
        """Change parts of something."""
        return self.send("PATCH", path, body)

    def delete(self, path: str, **query: object) -> Answer:
        """Remove something."""
        asked = {name: str(value) for name, value in query.items() if value}
        return self.send("DELETE", f"{path}?{urlencode(asked)}" if asked else path)

    def send(self, method: str, path: str, body: Mapping[str, object] | None = None) -> Answer:
        """One question and its answer; `Failure` where it is refused, or nobody answers."""
        given = {
            name: _plain(value) for name, value in (body or {}).items() if value is not None and value not in ("", ())
        }
        headers = self._headers("application/json")
        sent = None if body is None else json.dumps(given).encode()
        if sent is not None:
            headers["Content-Type"] = "application/json"
        connection = connect(self.place.url, self._seconds, self.place.trust)
        with told(self.place.url, self._seconds), closing(connection):
            connection.request(method, f"/api/v1{path}", sent, headers)
            answer = connection.getresponse()
            status, answered = answer.status, answer.read(_MOST_ANSWER)
        return _read(self.place.url, status, answered)

    def lines(self, path: str, last: str = "") -> Iterator[str]:
        """The lines of a stream of events without end; `last` is the id of the last event that was read.

        `Failure` where it is refused, breaks off, or is silent for longer than a living one is.
        """
        headers = self._headers("text/event-stream") | ({"Last-Event-ID": last} if last else {})
        connection = connect(self.place.url, _SILENT_SECONDS, self.place.trust)
        with told(self.place.url, _SILENT_SECONDS), closing(connection):
            connection.request("GET", f"/api/v1{path}", headers=headers)
            answer = connection.getresponse()
            if answer.status >= 300:
                _read(self.place.url, answer.status, answer.read(_MOST_ANSWER))
            for line in iter(answer.readline, b""):
                yield line.decode("utf-8", "replace").rstrip("\r\n")

    def _headers(self, accept: str) -> dict[str, str]:
        return {
            "Accept": accept,
            "Accept-Language": language(),
            "Authorization": f"Bearer {self._token.reveal()}",
            "User-Agent": "clavero-cli",
        }


@contextmanager
def told(url: str, seconds: float) -> Iterator[None]:
    """Every way in which nobody answers, as a `Failure`: not_running, untrusted, no_answer."""
    try:
        yield
    except (ConnectionRefusedError, FileNotFoundError, socket.gaierror):
        raise Failure("not_running", speak("nobody_at", url=url), "clavero up") from None
    except ssl.SSLCertVerificationError as error:
        text = speak("untrusted", url=url, why=error.verify_message)
        raise Failure("untrusted", text, "CLAVERO_CA_FILE=FILE") from None
    except TimeoutError:
        raise Failure("no_answer", speak("silent", url=url, seconds=f"{seconds:g}"), "clavero doctor") from None
    except (http.client.HTTPException, OSError, ValueError) as error:
        raise Failure("no_answer", speak("broken", url=url, what=type(error).__name__), "clavero doctor") from None


def connect(url: str, seconds: float, trust: Trust = NOBODY) -> http.client.HTTPConnection:
    """A connection to the server of a URL, straight: no proxy is asked. `Failure` for certificates that are none."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port
    if parts.scheme == "https":
        return _Named(host, port, trust, seconds)
    return http.client.HTTPConnection(host, port, timeout=seconds)


class _Named(http.client.HTTPSConnection):
    """TLS with a server whose name is not the one it was found by."""

    def __init__(self, host: str, port: int | None, trust: Trust, seconds: float) -> None:
        self._trusted = trusting(trust.ca_file)
        self._name = trust.name or host
        super().__init__(host, port, timeout=seconds, context=self._trusted)

    def connect(self) -> None:
        """As its parent's, but for the name."""
        sock = socket.create_connection((self.host, self.port), self.timeout)
        self.sock = self._trusted.wrap_socket(sock, server_hostname=self._name)


def trusting(ca_file: str) -> ssl.SSLContext:
    """The system's authorities and those of a file; `Failure` where it holds none."""
    context = ssl.create_default_context()
    if ca_file:
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
        try:
            context.load_verify_locations(cafile=ca_file)
        except (OSError, ssl.SSLError):
            raise Failure("ca_file", speak("ca_file", file=ca_file), "CLAVERO_CA_FILE=FILE", Exit.USAGE) from None
    return context


def checked(url: str) -> str:
    """The URL without a slash at its end; a usage error for one that the token must not go to."""
    try:
        parts = urlsplit(url)
        good = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good, parts = False, urlsplit("")
    if not good or parts.username is not None or parts.query or parts.fragment or parts.path not in {"", "/"}:
        raise usage(speak("bad_url"), "--url http://127.0.0.1:4142", "bad_url")
    if parts.scheme == "http" and parts.hostname not in _LOOPBACK:
        raise usage(speak("plain_http", host=parts.hostname), f"--url https://{parts.netloc}", "plain_http")
    return f"{parts.scheme}://{parts.netloc}"


def path_of(*parts: str) -> str:
    """A path of these parts, whatever letters stand in them."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _read(url: str, status: int, body: bytes) -> Answer:
    try:
        answer = json.loads(body) if body else {}
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        raise Failure("not_clavero", speak("not_clavero", url=url, status=status), speak("check_url"))
    if status < 300:
        return answer
    error = answer.get("error")
    if not isinstance(error, dict):
        raise Failure("not_clavero", speak("not_clavero", url=url, status=status), speak("check_url"))
    code = str(error.get("code", "refused"))
    message = str(error.get("message") or code).rstrip(".")
    detail = str(error.get("detail") or "").rstrip(".")
    fact = f"{message}: {detail}" if detail and detail not in message else message
    raise Failure(code, fact, str(error.get("fix") or ""), exit_of(code, status))


def exit_of(code: str, status: int) -> Exit:
    """The exit code of a refusal: its class knows; else its status does."""
    known = {kind.code: kind.exit_code for kind in vars(refusals).values() if _is_refusal(kind)}
    return known.get(code) or _BY_STATUS.get(status, Exit.USAGE if status < 500 else Exit.FAILED)


def _is_refusal(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, Refusal)
