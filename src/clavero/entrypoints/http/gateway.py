"""The rim of the data plane: paths to endpoints, problems to words in the caller's dialect, health."""

from collections.abc import Callable

from clavero.domain.catalogue import Language
from clavero.domain.errors import EndpointNotFound, MethodNotAllowed, Overloaded, Problem
from clavero.entrypoints.http.errors import Dialect, render, render_event
from clavero.entrypoints.http.language import language_of
from clavero.entrypoints.http.paths import dialect_of, find
from clavero.gateway.pipeline import exchange
from clavero.gateway.plugs import Plugs
from clavero.gateway.trail import Trail
from clavero.ports.client import Client, Request

Answer = tuple[int, list[tuple[str, str]], bytes]

_PLAIN = [("content-type", "text/plain; charset=utf-8")]


class Rim:
    """Hands requests to the pipeline. `docs` is where codes are explained."""

    def __init__(self, docs: str) -> None:
        self._docs = docs
        self.plugs: Plugs | None = None

    async def handle(self, request: Request, client: Client) -> None:
        """One request of the edge."""
        place = find(request.path)
        if place is None:
            self._elsewhere(request, client)
        elif self.plugs is None:
            client.reply(*self.refuse(Overloaded(retry_after=1), request))
        elif request.method not in place.methods:
            allowed = ", ".join(place.methods)
            client.reply(
                *self.refuse(MethodNotAllowed(path=_shown(request), method=request.method, allowed=allowed), request)
            )
        else:
            await exchange(request, client, place.endpoint, self.plugs)

    def refuse(self, problem: Problem, request: Request | None) -> Answer:
        """What the edge says of a request that never became an exchange."""
        if request is None:
            return render(problem, Dialect.OPENAI, "", "en", self._docs)
        dialect = dialect_of(request.path, request.headers)
        return render(problem, dialect, request.id, _language(request), self._docs)

    def words(self, problem: Problem, trail: Trail) -> Answer:
        """A problem as a whole answer."""
        return self.refuse(problem, trail.request)

    def aside(self, problem: Problem, trail: Trail) -> bytes:
        """A problem as the last event of a stream that has begun."""
        request = trail.request
        return render_event(
            problem, dialect_of(request.path, request.headers), request.id, _language(request), self._docs
        )

    def _elsewhere(self, request: Request, client: Client) -> None:
        path = request.path.partition("?")[0]
        answer = _HEALTH.get(path)
        if answer is not None and request.method in {"GET", "HEAD"}:
            status, said = answer(self.plugs)
            client.reply(status, _PLAIN, said)
        elif path == "/" and request.method in {"GET", "HEAD"}:
            client.reply(200, _PLAIN, b"clavero\n")  # some coding agents ask this first
        else:
            client.reply(*self.refuse(EndpointNotFound(method=request.method, path=_shown(request)), request))


def _shown(request: Request) -> str:
    """The path as it may be repeated: without its query, where some put keys."""
    return request.path.partition("?")[0][:200]


def _live(_plugs: Plugs | None) -> tuple[int, bytes]:
    return 200, b"ok\n"


def _ready(plugs: Plugs | None) -> tuple[int, bytes]:
    return (200, b"ok\n") if plugs is not None and not plugs.bank.fenced else (503, b"not ready\n")


_HEALTH: dict[str, Callable[[Plugs | None], tuple[int, bytes]]] = {"/health/live": _live, "/health/ready": _ready}


def _language(request: Request) -> Language:
    return language_of(request.headers.get("accept-language", ""))
