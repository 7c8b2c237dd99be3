"""Which formats a provider speaks, and how each is read: the one table of formats.

A provider that does not speak what was asked may still be reached by a translation; `pick` says which.
"""

from collections.abc import Callable
from typing import NamedTuple

from clavero.domain.credentials import ProviderKind
from clavero.domain.endpoints import Endpoint
from clavero.domain.errors import FormatNotServed
from clavero.wire import anthropic, openai_chat, openai_embeddings, openai_responses
from clavero.wire.answer import Answer, Stream

_OPENAI = frozenset({Endpoint.CHAT, Endpoint.RESPONSES, Endpoint.EMBEDDINGS, Endpoint.MODELS})
_ANTHROPIC = frozenset({Endpoint.MESSAGES, Endpoint.COUNT_TOKENS, Endpoint.MODELS})

FORMATS = {
    ProviderKind.OPENAI: _OPENAI,
    ProviderKind.OPENAI_LIKE: _OPENAI - {Endpoint.RESPONSES},
    ProviderKind.ANTHROPIC: _ANTHROPIC,
    ProviderKind.SIMULATED: _OPENAI | _ANTHROPIC,
}


class Way(NamedTuple):
    """How a provider is reached: the endpoint that is called there."""

    spoken: Endpoint


def serves(kind: ProviderKind, endpoint: Endpoint) -> bool:
    """Whether a provider of this kind can answer this endpoint, translated or not."""
    return endpoint in FORMATS[kind]


def pick(endpoint: Endpoint, kind: ProviderKind, provider: str = "", model: str = "") -> Way:
    """The way to a provider for what was asked; `FormatNotServed` where there is none."""
    if endpoint in FORMATS[kind]:
        return Way(endpoint)
    raise FormatNotServed(provider=provider or kind.value, endpoint=endpoint.value, model=model)


def cap_parameter(spoken: Endpoint, kind: ProviderKind, known: str = "", asked: str = "") -> str:
    """The parameter that caps the output there: the one the model is `known` to take, else the one that was asked.

    "" where nothing is put out.
    """
    match spoken:
        case Endpoint.MESSAGES:
            return "max_tokens"
        case Endpoint.RESPONSES:
            return "max_output_tokens"
        case Endpoint.CHAT:
            usual = "max_tokens" if kind is ProviderKind.OPENAI_LIKE else "max_completion_tokens"
            return known or (asked if asked in ("max_tokens", "max_completion_tokens") else usual)
        case _:
            return ""


READERS: dict[Endpoint, Callable[[bytes], Answer]] = {
    Endpoint.CHAT: openai_chat.read_answer,
    Endpoint.RESPONSES: openai_responses.read_answer,
    Endpoint.EMBEDDINGS: openai_embeddings.read_answer,
    Endpoint.MESSAGES: anthropic.read_answer,
    Endpoint.COUNT_TOKENS: anthropic.read_count,
}


def read_answer(spoken: Endpoint, body: bytes) -> Answer:
    """A plain answer in the format that the provider speaks; `BadAnswer` where it is none."""
    return READERS[spoken](body)


def stream(spoken: Endpoint, *, withhold: bool = False) -> Stream:
    """The reading of a streamed answer; `withhold` keeps back the usage that the caller did not ask for."""
    if spoken is Endpoint.MESSAGES:
        return anthropic.MessagesStream()
    if spoken is Endpoint.RESPONSES:
        return openai_responses.ResponsesStream()
    return openai_chat.ChatStream(withhold=withhold)
