"""The headers of an answer: what an operator looks for when a caller shows one."""

from clavero.domain.money import to_usd
from clavero.domain.routing import kept_name
from clavero.gateway.trail import Trail

Headers = list[tuple[str, str]]


def headers(trail: Trail, content_type: str, overhead_us: int, cost_n: int | None, cap: int) -> Headers:
    """The head of an answer that went well; `cost_n` is None where it is not known yet, `cap` 0 where as asked.

    `overhead_us` is microseconds, `cost_n` nano-USD, `cap` output tokens.
    """
    grant, target = trail.grant, trail.target
    found = [
        ("content-type", content_type),
        ("x-request-id", trail.request.id),
        ("request-id", trail.request.id),
        ("x-clavero-attempts", str(len(trail.attempts) or 1)),
        ("x-clavero-overhead-ms", f"{overhead_us / 1000:.2f}"),
    ]
    if grant is not None:
        found.append(("x-clavero-key", grant.key.name))
    if target is not None:
        found += [("x-clavero-model", kept_name(target.served, target)), ("x-clavero-provider", target.provider.name)]
    if cost_n is not None:
        found.append(("x-clavero-cost", to_usd(cost_n, 6).replace(",", "")))
    if cap:
        found.append(("x-clavero-output-cap", str(cap)))
    return found
