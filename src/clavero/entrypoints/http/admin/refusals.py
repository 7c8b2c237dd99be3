"""What goes wrong, as programs read it: one total table from refusal to status, one body, two languages.

`message` and `fix` are for people and follow Accept-Language; `code`, `field` and `suggestion` are for programs. The
Spanish words come from the catalogue, which knows codes and not facts: what exactly was refused stands in `detail`.
"""

from collections.abc import Mapping
from typing import Any

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.requests import Request

from clavero.domain import refusals
from clavero.domain.catalogue import Language, entry, fact_and_fix
from clavero.domain.errors import InternalError, MalformedJson, Problem
from clavero.domain.refusals import InvalidValue, Refusal
from clavero.domain.secret import mask
from clavero.entrypoints.http.errors import status_of
from clavero.entrypoints.http.language import language_of

STATUS: dict[type[Refusal], int] = {
    refusals.Refusal: 400,
    refusals.NotSignedIn: 401,
    refusals.Forbidden: 403,
    refusals.NotFound: 404,
    refusals.RecordDeleted: 410,
    refusals.AlreadyExists: 409,
    refusals.Conflict: 409,
    refusals.StateForbids: 409,
    refusals.InUse: 409,
    refusals.TierForbids: 409,
    refusals.EnvironmentFrozen: 409,
    refusals.OwnerLeft: 409,
    refusals.OwnerUnknown: 422,
    refusals.InvalidValue: 422,
    refusals.ChangeNotRecorded: 503,
    refusals.RekeyRuns: 409,
    refusals.OthersNeedRootKey: 409,
    refusals.StorageUnavailable: 503,
    refusals.VaultClosed: 503,
}
_RULES = {
    "missing": "given",
    "extra_forbidden": "left out: there is no such field",
    "model_attributes_type": "a JSON object",
}
_SAYS = ("Input should be ", "Value error, ", "Value should be ", "String should be ")
_LONGEST = 200


def refused(request: Request, error: Exception) -> JSONResponse:
    """The answer to a refusal or a problem; anything else is ours and tells nothing of itself."""
    language = language_of(request.headers.get("accept-language", ""))
    request_id = str(getattr(request.state, "request_id", ""))
    if isinstance(error, RequestValidationError):
        error = misread(error, request)
    if isinstance(error, Refusal):
        said = _of_refusal(error, language)
        status = status_of_refusal(error)
        headers = {"www-authenticate": 'Bearer realm="clavero"'} if status == 401 else {}
        return _answer(status, said, request_id, headers | ({"retry-after": "1"} if status == 503 else {}))
    problem = error if isinstance(error, Problem) else InternalError(request_id=request_id)
    allow = problem.facts.get("allowed")
    headers = {"allow": str(allow)} if problem.code == "method_not_allowed" and allow else {}
    return _answer(status_of(problem), _of_problem(problem, language, request_id), request_id, headers)


def status_of_refusal(refusal: Refusal) -> int:
    """The status of a refusal's class, or of the nearest class above it."""
    return next(STATUS[kind] for kind in type(refusal).__mro__ if kind in STATUS)


def misread(error: RequestValidationError, request: Request) -> Problem | Refusal:
    """What was sent is not what the route takes: the first field that is wrong, and its rule."""
    first: Mapping[str, Any] = error.errors()[0]
    place = first.get("loc", ())
    if first.get("type") == "json_invalid":
        what = str(first.get("ctx", {}).get("error", "it is no JSON"))
        line, column = _place(getattr(request, "_body", b""), place[-1] if place else 0)
        return MalformedJson(line=line, column=column, what=what)
    field = ".".join(str(part) for part in place[1:]) or "body"
    return InvalidValue(mask(field)[:_LONGEST], _rule(first))


def _rule(error: Mapping[str, Any]) -> str:
    known = _RULES.get(str(error.get("type")))
    if known:
        return known
    text = str(error.get("msg", "of another form"))
    for prefix in _SAYS:
        text = text.removeprefix(prefix)
    return mask(text)[:_LONGEST]


def _place(body: object, position: object) -> tuple[int, int]:
    """Line and column, from 1, of a character in the body."""
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else ""
    before = text[: position if isinstance(position, int) else 0]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _of_refusal(refusal: Refusal, language: Language) -> dict[str, str]:
    said = {
        "code": refusal.code,
        "message": f"{mask(refusal.message)}.",
        "fix": mask(refusal.fix),
        "field": mask(refusal.field),
        "suggestion": mask(refusal.suggestion),
    }
    words = entry(refusal.code, "es") if language == "es" else None
    if words is None:
        return said
    fix = f"Usa {said['suggestion']}" if said["suggestion"] else words.fix
    if refusal.pastes:
        fix = said["fix"]
    fact = f"{words.fact}: {said['field']}." if said["field"] else f"{words.fact}."
    return {**said, "message": fact, "fix": fix, "detail": said["message"]}


def _of_problem(problem: Problem, language: Language, request_id: str) -> dict[str, str]:
    fact, fix = fact_and_fix(problem, language, request_id=request_id)
    field = mask(str(problem.facts.get("name", "")))
    return {"code": problem.code, "message": fact, "fix": fix, "field": field, "suggestion": ""}


def _answer(status: int, said: dict[str, str], request_id: str, headers: Mapping[str, str]) -> JSONResponse:
    return JSONResponse({"error": {**said, "request_id": request_id}}, status, dict(headers))
