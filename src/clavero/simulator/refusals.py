"""How the simulated providers say no: the bodies, types and codes that the real ones use."""

from enum import Enum

import msgspec


class Dialect(Enum):
    """Whose shapes a request uses."""

    OPENAI = "openai"
    ANTHROPIC = "anthropic"


class Refusal(Exception):
    """An error answer of the simulated provider; `headers` go with it."""

    def __init__(
        self, status: int, kind: str, message: str, *, code: str | None = None, param: str | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.kind = kind
        self.message = message
        self.code = code
        self.param = param
        self.headers: tuple[tuple[str, str], ...] = ()

    def with_headers(self, *headers: tuple[str, str]) -> "Refusal":
        """The same refusal with these headers."""
        self.headers = headers
        return self

    def body(self, dialect: Dialect, request_id: str) -> bytes:
        """The body in the dialect of the caller."""
        if dialect is Dialect.ANTHROPIC:
            error = {"type": self.kind, "message": self.message}
            return msgspec.json.encode({"type": "error", "error": error, "request_id": request_id})
        told = {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}
        return msgspec.json.encode({"error": told})


_ANTHROPIC_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    404: "not_found_error",
    405: "invalid_request_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    529: "overloaded_error",
}
_OPENAI_KINDS = {429: "requests", 500: "server_error", 503: "server_error"}


def refuse(
    dialect: Dialect, status: int, message: str, *, code: str | None = None, param: str | None = None
) -> Refusal:
    """A refusal with the type that this provider gives to this status."""
    if dialect is Dialect.ANTHROPIC:
        return Refusal(status, _ANTHROPIC_KINDS.get(status, "api_error"), message)
    return Refusal(status, _OPENAI_KINDS.get(status, "invalid_request_error"), message, code=code, param=param)


def no_such_model(dialect: Dialect, name: str) -> Refusal:
    """The model is none of this provider's."""
    if dialect is Dialect.ANTHROPIC:
        return refuse(dialect, 404, f"model: {name}")
    message = f"The model `{name}` does not exist or you do not have access to it."
    return refuse(dialect, 404, message, code="model_not_found")


def too_long(dialect: Dialect, tokens: int, most: int) -> Refusal:
    """The input exceeds the model's context."""
    if dialect is Dialect.ANTHROPIC:
        return refuse(dialect, 400, f"prompt is too long: {tokens} tokens > {most} maximum")
    message = (
        f"This model's maximum context length is {most} tokens. However, your messages resulted in {tokens} tokens. "
        "Please reduce the length of the messages."
    )
    return refuse(dialect, 400, message, code="context_length_exceeded", param="messages")


def unreadable(dialect: Dialect, error: msgspec.MsgspecError) -> Refusal:
    """The body is no JSON, or not of the shape that was wanted."""
    if isinstance(error, msgspec.ValidationError):
        return refuse(dialect, 400, f"Invalid request: {error}", code="invalid_type")
    return refuse(dialect, 400, f"We could not parse the JSON body of your request: {error}")
