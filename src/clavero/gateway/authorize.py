"""AUTHORIZE: may this key do what is asked? Endpoint, feature and the name of the model; targets are `route`'s."""

from clavero.domain.errors import EndpointNotAllowed, FeatureNotDeclared, InvalidHeader, ModelNotAllowed
from clavero.domain.routing import may_ask
from clavero.gateway.view import Grant
from clavero.wire.ask import Ask

_LONGEST_FEATURE = 64


def authorize(ask: Ask, grant: Grant, headers: dict[str, str]) -> str:
    """Raise what forbids it; returns the feature that the caller named, "" for none."""
    key, feature = grant.key, headers.get("x-clavero-feature", "")
    if key.endpoints and ask.endpoint not in key.endpoints:
        raise EndpointNotAllowed(endpoint=ask.endpoint.value, list=", ".join(key.endpoints))
    if not may_ask(ask.model, key.models):
        raise ModelNotAllowed(model=ask.model, list=", ".join(key.models))
    if feature and len(feature) > _LONGEST_FEATURE:
        raise InvalidHeader(name="x-clavero-feature", rule=f"at most {_LONGEST_FEATURE} characters")
    if feature and feature not in key.features:
        raise FeatureNotDeclared(feature=feature, list=", ".join(key.features) or "none")
    return feature
