"""ROUTE: who may answer? Targets that the key may reach, whose provider speaks the format and has a credential."""

from clavero.domain.errors import FormatNotServed, ModelNotAllowed, NoCredential, Problem
from clavero.domain.routing import Target, may_reach
from clavero.gateway.view import Grant, View
from clavero.wire.ask import Ask
from clavero.wire.formats import serves, speaker


def route(ask: Ask, grant: Grant, view: View) -> tuple[Target, ...]:
    """The targets, in order of preference; one that cannot answer is passed over while another can."""
    able: list[Target] = []
    reason: Problem | None = None
    for target in view.targets(ask.model):
        if not may_reach(target, grant.key.models):
            raise ModelNotAllowed(model=target.served, list=", ".join(grant.key.models))
        provider = target.provider
        if not serves(speaker(provider.kind, target.served), ask.endpoint):
            reason = FormatNotServed(provider=provider.name, endpoint=ask.endpoint.value, model=ask.model)
        elif view.secret(provider.name) is None:
            reason = NoCredential(provider=provider.name)
        else:
            able.append(target)
    if not able:
        raise reason or NoCredential(provider="no provider")
    return tuple(able)
