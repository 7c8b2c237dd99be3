"""AUTHENTICATE: whose key is this? No I/O, no memory of raw keys, and the same work for a stranger as for a friend."""

from clavero.domain import tokens
from clavero.domain.errors import InvalidApiKey, MalformedApiKey, MissingApiKey, Problem, ProviderKeySent
from clavero.domain.keys import KeyVersion, standing
from clavero.gateway.view import Grant, View
from clavero.ports.client import Request
from clavero.ports.clock import Clock
from clavero.vault.fingerprint import Fingerprints

_LONGEST = 256  # a key of ours has at most 90 characters
_HEADERS = ("x-api-key", "api-key", "x-goog-api-key")


def authenticate(request: Request, view: View, fingerprints: Fingerprints, clock: Clock) -> tuple[Grant, KeyVersion]:
    """The grant and the version of the key that was sent.

    Shape first, then the public id, then the secret; the state of a key is told only to who holds its secret.
    """
    sent = _sent(request.headers)
    shape = tokens.read(sent) if len(sent) <= _LONGEST else None
    if shape is None or shape.kind != "k":
        raise _misshapen(sent)
    grant = view.grant(shape.kid)
    if grant is None:
        fingerprints.stranger(sent)
        raise InvalidApiKey(kid=shape.kid) if tokens.checksum_ok(sent) else MalformedApiKey()
    version = _version(grant, sent, fingerprints)
    if version is None:
        raise InvalidApiKey(kid=shape.kid) if tokens.checksum_ok(sent) else MalformedApiKey()
    problem = standing(grant.key, version, clock.wall_ns())
    if problem is not None:
        raise problem
    return grant, version


def _sent(headers: dict[str, str]) -> str:
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if value and scheme.lower() == "bearer" and (bearer := value.strip()):
        return bearer
    for name in _HEADERS:
        if value := headers.get(name, ""):
            return value
    raise MissingApiKey


def _misshapen(sent: str) -> Problem:
    return ProviderKeySent() if tokens.provider_key(sent[:_LONGEST]) else MalformedApiKey()


def _version(grant: Grant, sent: str, fingerprints: Fingerprints) -> KeyVersion | None:
    """The version whose digest this is, ended ones too: only then may the caller hear that it has ended."""
    for version in reversed(grant.key.versions):
        if fingerprints.same(sent, version.pepper, version.digest):
            return version
    return None
