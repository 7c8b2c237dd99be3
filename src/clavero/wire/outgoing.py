"""Where a call goes within a provider and which headers it carries: ours, its key, and of the caller's a short list.

The host is never decided here, and nothing of the caller's decides a path. Nothing is compressed, so that a stream
can be read as it passes.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from clavero.domain.credentials import ProviderKind
from clavero.domain.endpoints import Endpoint
from clavero.domain.errors import InvalidHeader

ANTHROPIC_VERSION = "2023-06-01"  # for callers that name none: those who speak another format

_PATHS = {
    Endpoint.CHAT: "/v1/chat/completions",
    Endpoint.RESPONSES: "/v1/responses",
    Endpoint.EMBEDDINGS: "/v1/embeddings",
    Endpoint.MESSAGES: "/v1/messages",
    Endpoint.COUNT_TOKENS: "/v1/messages/count_tokens",
    Endpoint.MODELS: "/v1/models",
}
_ANTHROPIC = frozenset({Endpoint.MESSAGES, Endpoint.COUNT_TOKENS})
_PASSED = {True: ("anthropic-version", "anthropic-beta"), False: ("openai-beta",)}
_PLAIN = re.compile(r"[\x20-\x7e\t]{0,8192}")

Headers = tuple[tuple[str, str], ...]


@lru_cache(maxsize=256)
def target(base_url: str, endpoint: Endpoint) -> str:
    """The path of an endpoint at a provider, behind the path of its base URL; that one may end in `/v1` or before."""
    prefix = urlsplit(base_url).path.rstrip("/").removesuffix("/v1")
    return prefix + _PATHS[endpoint]


def headers(
    kind: ProviderKind, endpoint: Endpoint, key: str, caller: Mapping[str, str], *, version: str, stream: bool = False
) -> Headers:
    """The headers of a call, without Host and length; `caller` has lower-case names. An empty `key` sends none."""
    anthropic = kind is ProviderKind.ANTHROPIC or endpoint in _ANTHROPIC
    found = [
        ("content-type", "application/json"),
        ("accept", "text/event-stream" if stream else "application/json"),
        ("accept-encoding", "identity"),
        ("user-agent", f"clavero/{version}"),
    ]
    if key:
        found.append(("x-api-key", key) if anthropic else ("authorization", f"Bearer {key}"))
    for name in _PASSED[anthropic]:
        if value := caller.get(name):
            found.append((name, _checked(name, value)))
        elif name == "anthropic-version":
            found.append((name, ANTHROPIC_VERSION))
    return tuple(found)


def _checked(name: str, value: str) -> str:
    if not _PLAIN.fullmatch(value):
        raise InvalidHeader(name=name, rule="plain ASCII of at most 8192 characters")
    return value
