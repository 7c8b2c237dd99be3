"""MODELS: the names that a key may ask for, in the shape its SDK expects. Answered from the view; costs nothing."""

from collections.abc import Iterable
from urllib.parse import unquote

import msgspec

from clavero.domain.credentials import Provider
from clavero.domain.errors import ModelNotFound
from clavero.domain.routing import Target, may_ask, may_reach
from clavero.gateway.trail import Trail
from clavero.gateway.view import View

_EPOCH = "1970-01-01T00:00:00Z"  # nobody tells us when a model was made


def models(trail: Trail, view: View) -> bytes:
    """The answer to `/v1/models` and `/v1/models/NAME`; `ModelNotFound` for a name that this key cannot ask for."""
    name = _one(trail.request.path)
    shape = _anthropic if "anthropic-version" in trail.request.headers else _openai
    if name:
        targets = [target for asked, target in _served([name], trail, view) if asked == name]
        if not targets:
            raise ModelNotFound(model=name, guess="")
        return msgspec.json.encode(shape(name, targets[0].provider))
    rows = [shape(asked, target.provider) for asked, target in _served(view.names(), trail, view)]
    if shape is _anthropic:
        ends = {"first_id": rows[0]["id"], "last_id": rows[-1]["id"]} if rows else {"first_id": None, "last_id": None}
        return msgspec.json.encode({"data": rows, "has_more": False, **ends})
    return msgspec.json.encode({"object": "list", "data": rows})


def _one(path: str) -> str:
    _, found, name = path.partition("?")[0].partition("/models/")
    return unquote(name) if found else ""


def _served(names: Iterable[str], trail: Trail, view: View) -> Iterable[tuple[str, Target]]:
    scope = trail.grant.key.models if trail.grant else ()
    for name in names:
        if not may_ask(name, scope):
            continue
        try:
            targets = view.targets(name)
        except ModelNotFound:  # declared, but its provider is off
            continue
        if all(may_reach(target, scope) for target in targets) and view.secret(targets[0].provider.name) is not None:
            yield name, targets[0]


def _openai(name: str, provider: Provider) -> dict[str, object]:
    return {"id": name, "object": "model", "created": 0, "owned_by": provider.name}


def _anthropic(name: str, provider: Provider) -> dict[str, object]:
    del provider
    return {"type": "model", "id": name, "display_name": name, "created_at": _EPOCH}
