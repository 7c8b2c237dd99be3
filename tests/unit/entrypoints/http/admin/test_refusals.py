import json
from typing import Any

import pytest
from fastapi import Request
from fastapi.exceptions import RequestValidationError

from clavero.domain import refusals
from clavero.domain.errors import BodyTooLarge, MethodNotAllowed
from clavero.domain.refusals import AlreadyExists, InvalidValue, NotFound, NotSignedIn, Refusal, StorageUnavailable
from clavero.entrypoints.http.admin.refusals import STATUS, misread, refused, status_of_refusal


def request(language: str = "", body: bytes = b"") -> Request:
    headers = [(b"accept-language", language.encode())] if language else []
    asked = Request(
        {"type": "http", "method": "POST", "path": "/", "headers": headers, "state": {"request_id": "req_1"}}
    )
    asked._body = body
    return asked


def told(error: Exception, language: str = "") -> dict[str, Any]:
    answer = refused(request(language), error)
    said: dict[str, Any] = json.loads(bytes(answer.body))["error"]
    return said | {"status": answer.status_code, "headers": dict(answer.headers)}


def test_the_table_has_every_refusal_of_the_domain() -> None:
    ours = {kind for kind in vars(refusals).values() if isinstance(kind, type) and issubclass(kind, Refusal)}
    assert set(STATUS) == ours


def test_a_refusal_of_elsewhere_has_the_status_of_the_class_above_it() -> None:
    class Odd(NotFound):
        """Nothing."""

    assert status_of_refusal(Odd("key", "x")) == 404
    del Odd


def test_people_read_the_fact_and_the_fix_and_programs_the_rest() -> None:
    error = told(AlreadyExists("key", "prod-x-01", "prod-x-02"))
    assert error["status"] == 409
    assert error["code"] == "already_exists"
    assert error["message"] == "There is a key prod-x-01 already."
    assert (error["fix"], error["field"], error["suggestion"]) == ("Use prod-x-02", "name", "prod-x-02")
    assert error["request_id"] == "req_1"


def test_spanish_is_spoken_where_it_is_preferred() -> None:
    error = told(InvalidValue("name", "short", "ab"), "es-ES,es;q=0.9,en;q=0.1")
    assert error["message"] == "Un valor no cumple su regla: name."
    assert error["fix"] == "Usa ab"
    assert error["detail"] == "name must be short."
    assert told(NotSignedIn(), "es")["fix"] == "Inicia sesión de nuevo: clavero open"
    assert "demasiado" in (spanish := told(BodyTooLarge(max="1 KiB"), "es")["message"]) or "supera" in spanish


def test_headers_say_what_programs_act_on() -> None:
    assert told(NotSignedIn())["headers"]["www-authenticate"].startswith("Bearer")
    assert told(StorageUnavailable())["headers"]["retry-after"] == "1"
    assert told(MethodNotAllowed(method="PUT", path="/x", allowed="GET, POST"))["headers"]["allow"] == "GET, POST"


def test_what_we_did_not_foresee_tells_nothing() -> None:
    error = told(RuntimeError("password=hunter22"))
    assert (error["status"], error["code"]) == (500, "internal_error")
    assert "hunter" not in str(error)


def test_a_secret_in_a_refusal_is_masked() -> None:
    secret = "sk-ant-" + "s" * 30
    error = told(Refusal(f"No {secret}", f"Not {secret}", field=secret, suggestion=secret))
    assert error["status"] == 400
    assert secret not in str(error)


@pytest.mark.parametrize(
    ("body", "position", "line", "column"),
    [(b'{"a": x}', 6, 1, 7), (b'{\n"a": x}', 7, 2, 6), (b"", 0, 1, 1), ('{"ñ": x}'.encode(), 6, 1, 7)],
)
def test_json_that_is_none_is_shown_its_place(body: bytes, position: int, line: int, column: int) -> None:
    error = RequestValidationError([{"type": "json_invalid", "loc": ("body", position), "ctx": {"error": "odd"}}])
    found = misread(error, request(body=body))
    assert getattr(found, "facts", {}) == {"line": line, "column": column, "what": "odd"}


@pytest.mark.parametrize(
    ("kind", "message", "rule"),
    [
        ("missing", "Field required", "given"),
        ("extra_forbidden", "Extra inputs are not permitted", "left out"),
        ("string_type", "Input should be a valid string", "a valid string"),
        ("value_error", "Value error, whole", "whole"),
    ],
)
def test_a_field_is_named_with_its_rule(kind: str, message: str, rule: str) -> None:
    error = RequestValidationError([{"type": kind, "loc": ("body", "tiers", 0, "input"), "msg": message}])
    found = misread(error, request())
    assert isinstance(found, InvalidValue)
    assert found.field == "tiers.0.input"
    assert f"must be {rule}" in found.message
