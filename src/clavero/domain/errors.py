"""What can go wrong with one exchange, by whose fault it is.

Each class is one code of the catalogue; its docstring is the fact, with the placeholders that its `facts` fill. The
remedy and the Spanish wording stand in `catalogue`; the HTTP status stands in `entrypoints/http/errors`, because the
rules know no HTTP.
"""

import re
from enum import Enum
from typing import ClassVar


class Fault(Enum):
    """Whose fault a failure is."""

    CALLER = "caller"
    UPSTREAM = "upstream"
    OURS = "ours"


class Problem(Exception):
    """The exchange ended early."""

    code: ClassVar[str]
    fault: ClassVar[Fault] = Fault.CALLER

    def __init_subclass__(cls) -> None:
        """Derive the stable code from the name, once per class."""
        super().__init_subclass__()
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(self, **facts: object) -> None:
        super().__init__()
        self.facts = facts

    def __str__(self) -> str:
        """The fact in English, placeholders filled."""
        return (self.__doc__ or self.code).rstrip(".").format_map(_Filled(self.facts))


class _Filled(dict[str, object]):
    """Facts for a message; a fact that is not known leaves its name, never a second failure."""

    def __missing__(self, name: str) -> str:
        return name


# --- who calls


class MissingApiKey(Problem):
    """No key was sent."""


class MalformedApiKey(Problem):
    """The key is cut or altered."""


class InvalidApiKey(Problem):
    """Unknown key {kid}."""


class ProviderKeySent(Problem):
    """This is a provider key."""


class KeyExpired(Problem):
    """The key expired on {date}."""


class KeyDisabled(Problem):
    """The key is disabled."""


class KeyRevoked(Problem):
    """The key is revoked."""


class KeyRotated(Problem):
    """Version {n} has ended."""


class KeyPending(Problem):
    """The key is not active yet."""


class IpNotAllowed(Problem):
    """{ip} is not allowed."""


# --- what is asked


class ModelNotAllowed(Problem):
    """The key may not use {model}."""


class EndpointNotAllowed(Problem):
    """The key may not call {endpoint}."""


class FeatureNotDeclared(Problem):
    """The key does not declare the feature {feature}."""


class ModelNotFound(Problem):
    """There is no model {model}."""


class EndpointNotFound(Problem):
    """There is nothing at {method} {path}."""


class MethodNotAllowed(Problem):
    """{path} takes {allowed}, not {method}."""


class MalformedJson(Problem):
    """Invalid JSON at line {line}, column {column}: {what}."""


class InvalidParameter(Problem):
    """{name} must be {rule}."""


class MissingHeader(Problem):
    """Header {name} is missing."""


class InvalidHeader(Problem):
    """Header {name} must be {rule}."""


class MalformedRequest(Problem):
    """The HTTP request is malformed: {what}."""


class HeadTooLarge(Problem):
    """The head exceeds {max}."""


class BodyTooLarge(Problem):
    """The body exceeds {max}."""


class RequestTimeout(Problem):
    """The {part} stopped arriving."""


class ExpectationFailed(Problem):
    """Expect {value} cannot be met."""


class UnsupportedMediaType(Problem):
    """The content type {value} is not supported."""


class TlsRequired(Problem):
    """This port speaks TLS alone."""


class FormatNotServed(Problem):
    """{provider} does not serve {endpoint} for {model}."""


# --- money


class InsufficientQuota(Problem):
    """{budget} has {left} left; this call may cost {worst}."""


class RequestOverCeiling(Problem):
    """This call may cost {worst}; the cap is {ceiling}."""


class UnpricedModel(Problem):
    """{model} has no price."""

    fault = Fault.OURS


class UnboundedInput(Problem):
    """The cost of {what} cannot be bounded before the call."""


class BudgetBusy(Problem):
    """The budget {budget} is busy elsewhere."""

    fault = Fault.OURS


class LedgerUnavailable(Problem):
    """Spend cannot be recorded."""

    fault = Fault.OURS


class StorageFull(Problem):
    """The disk of the gateway is full."""

    fault = Fault.OURS


# --- the provider


class ContextLengthExceeded(Problem):
    """{n} tokens; {model} takes {max}."""


class ContentFilter(Problem):
    """{provider} refused the content."""

    fault = Fault.UPSTREAM


class UpstreamRefused(Problem):
    """{provider} refused the request: {what}."""


class UpstreamAuthFailed(Problem):
    """{provider} refused our key."""

    fault = Fault.OURS


class UpstreamRateLimited(Problem):
    """{provider} allows no more calls now."""

    fault = Fault.UPSTREAM


class UpstreamError(Problem):
    """{provider} failed {n} times."""

    fault = Fault.UPSTREAM


class UpstreamProxyFailed(Problem):
    """The proxy on the way to {provider} failed: {what}."""

    fault = Fault.OURS


class UpstreamTimeout(Problem):
    """{provider} was silent for {seconds} s."""

    fault = Fault.UPSTREAM


class StreamInterrupted(Problem):
    """{provider} cut the stream; the text is incomplete."""

    fault = Fault.UPSTREAM


class NoCredential(Problem):
    """{provider} has no usable credential."""

    fault = Fault.OURS


# --- pace


class RateLimitExceeded(Problem):
    """Limit: {n} {unit} a minute."""


class ConcurrencyExceeded(Problem):
    """{n} calls are open."""


# --- us


class Overloaded(Problem):
    """The gateway is full."""

    fault = Fault.OURS


class Draining(Problem):
    """The gateway is stopping."""

    fault = Fault.OURS


class InternalError(Problem):
    """clavero failed."""

    fault = Fault.OURS
