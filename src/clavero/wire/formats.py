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
from clavero.wire.ask import Ask
from clavero.wire.sse import Scanner
from clavero.wire.translate import TranslatedStream, Translator

_OPENAI = frozenset({Endpoint.CHAT, Endpoint.RESPONSES, Endpoint.EMBEDDINGS, Endpoint.MODELS})
_ANTHROPIC = frozenset({Endpoint.MESSAGES, Endpoint.COUNT_TOKENS, Endpoint.MODELS})

FORMATS = {
    ProviderKind.OPENAI: _OPENAI,
    ProviderKind.OPENAI_LIKE: _OPENAI - {Endpoint.RESPONSES},
    ProviderKind.ANTHROPIC: _ANTHROPIC,
    ProviderKind.SIMULATED: _OPENAI | _ANTHROPIC,
}


_INSTEAD = {
    (asked, kind): spoken
    for kind, native in FORMATS.items()
    for asked in (Endpoint.CHAT, Endpoint.MESSAGES, Endpoint.RESPONSES)
    for spoken in (Endpoint.MESSAGES, Endpoint.CHAT)  # chat is preferred where a provider speaks both
    if asked not in native and spoken in native
}


class Way(NamedTuple):
    """How a provider is reached: the endpoint that is called there, and the translator where it is another format."""

    spoken: Endpoint
    translator: Translator | None = None


def speaker(kind: ProviderKind, served: str) -> ProviderKind:
    """Whose dialect a model is asked in: a simulated provider speaks for each model as its maker would."""
    if kind is not ProviderKind.SIMULATED:
        return kind
    return ProviderKind.ANTHROPIC if served.startswith("claude") else ProviderKind.OPENAI


def serves(kind: ProviderKind, endpoint: Endpoint) -> bool:
    """Whether a provider of this kind can answer this endpoint, translated or not."""
    return endpoint in FORMATS[kind] or (endpoint, kind) in _INSTEAD


def pick(endpoint: Endpoint, kind: ProviderKind, provider: str = "", model: str = "") -> Way:
    """The way to a provider for what was asked; `FormatNotServed` where there is none."""
    if endpoint in FORMATS[kind]:
        return _NATIVE[endpoint]
    spoken = _INSTEAD.get((endpoint, kind))
    if spoken is None:
        raise FormatNotServed(provider=provider or kind.value, endpoint=endpoint.value, model=model)
    return Way(spoken, Translator(endpoint, spoken))


_NATIVE = {endpoint: Way(endpoint) for endpoint in Endpoint}


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


def scanner(way: Way, ask: Ask, created: int) -> Scanner | TranslatedStream:
    """The machine that a streamed answer is fed to; `created` is UTC seconds."""
    if way.translator is not None:
        return way.translator.stream(ask.tree, created)
    return Scanner(stream(way.spoken, withhold=not ask.usage_asked))
