"""The application of the admin listener: `/api/v1`, its documentation and `/metrics`, behind one gate.

It holds no rule of its own: a route reads what is asked, a duty of `control` decides, a view tells the outcome.
"""

from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from clavero.control.commit import Desk
from clavero.domain.errors import (
    BodyTooLarge,
    EndpointNotFound,
    InternalError,
    MalformedJson,
    MethodNotAllowed,
    Problem,
    RequestTimeout,
)
from clavero.domain.refusals import Refusal
from clavero.entrypoints.http.admin import (
    audit,
    budgets,
    docs,
    keys,
    members,
    metrics,
    organisation,
    prices,
    providers,
    requests,
    status,
    tokens,
    top,
    usage,
    vault,
    whois,
)
from clavero.entrypoints.http.admin.arrival import Arrival
from clavero.entrypoints.http.admin.facts import AdminFacts, Office
from clavero.entrypoints.http.admin.gate import MOST_BYTES, Gate, Terms
from clavero.entrypoints.http.admin.refusals import refused

PREFIX = "/api/v1"
NOUNS = (
    keys,
    providers,
    budgets,
    prices,
    organisation,
    members,
    usage,
    requests,
    audit,
    tokens,
    vault,
    status,
    whois,
    top,
)


def make_app(desk: Desk, facts: AdminFacts) -> FastAPI:
    """The application; other pages of the listener, such as the console's, are mounted on it and share its gate."""
    app = FastAPI(
        title="clavero",
        version=facts.version,
        summary="The admin API: virtual keys, providers, budgets, prices, usage and audit.",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    app.state.office = Office(desk, facts)
    for noun in NOUNS:
        app.include_router(noun.routes, prefix=PREFIX)
    app.include_router(metrics.routes)
    app.include_router(docs.routes)
    _word(app)
    _describe(app)
    app.add_middleware(Gate, terms=Terms(facts.hosts), dice=desk.dice)
    app.add_middleware(Arrival, proxies=facts.proxies)  # the last that is added is the first that is asked
    return app


def _word(app: FastAPI) -> None:
    """One way to say what goes wrong, whoever noticed."""

    async def told(request: Request, error: Exception) -> Response:
        return refused(request, error)

    async def in_http(request: Request, error: Exception) -> Response:
        return refused(request, problem_of(request, error))

    for kind in (Refusal, Problem, RequestValidationError):  # what is ours to mend, the gate words
        app.add_exception_handler(kind, told)
    app.add_exception_handler(HTTPException, in_http)


def problem_of(request: Request, error: Exception) -> Problem:
    """What the framework says with a bare status, as a problem of the catalogue."""
    path, code = request.scope["path"], error.status_code if isinstance(error, HTTPException) else 500
    match code:
        case 404:
            return EndpointNotFound(method=request.method, path=path)
        case 405:
            allowed = (error.headers or {}).get("Allow", "") if isinstance(error, HTTPException) else ""
            return MethodNotAllowed(method=request.method, path=path, allowed=allowed)
        case 408:
            return RequestTimeout(part="body")
        case 413:
            return BodyTooLarge(max=f"{MOST_BYTES // 1024} KiB")
        case 400:
            return MalformedJson(line=1, column=1, what="it is no JSON in UTF-8")
        case _:
            return InternalError(request_id=request.state.request_id)


def _describe(app: FastAPI) -> None:
    """Say in the OpenAPI description how to sign in, and what every refusal looks like."""
    plain = app.openapi

    def described() -> dict[str, Any]:
        whole = plain()
        parts = whole.setdefault("components", {})
        parts["securitySchemes"] = {"admin": {"type": "http", "scheme": "bearer", "description": "An admin token."}}
        parts.setdefault("schemas", {})["Refusal"] = _REFUSAL
        whole["security"] = [{"admin": []}]
        for path in whole["paths"].values():
            for operation in path.values():
                operation["responses"].pop("422", None)
                operation["responses"]["4XX"] = _ANSWER
        return whole

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's own way to extend a description


_ANSWER = {
    "description": "Refused: the code, the fact, and what to do",
    "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Refusal"}}},
}
_WORDS = ("code", "message", "fix", "field", "suggestion", "request_id")
_REFUSAL = {
    "title": "Refusal",
    "type": "object",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": list(_WORDS),
            "properties": {word: {"type": "string"} for word in (*_WORDS, "detail")},
        }
    },
}
