"""One table says who speaks what."""

import pytest

from clavero.domain.credentials import ProviderKind
from clavero.domain.endpoints import Endpoint
from clavero.domain.errors import FormatNotServed
from clavero.wire import formats
from clavero.wire.anthropic import MessagesStream
from clavero.wire.ask import read_chat
from clavero.wire.openai_chat import ChatStream
from clavero.wire.openai_responses import ResponsesStream
from clavero.wire.translate import TranslatedStream


@pytest.mark.parametrize("kind", list(ProviderKind))
def test_what_a_provider_speaks_is_asked_of_it_as_it_is(kind: ProviderKind) -> None:
    for endpoint in formats.FORMATS[kind]:
        way = formats.pick(endpoint, kind)
        assert way == (endpoint, None)
        assert formats.serves(kind, endpoint)


@pytest.mark.parametrize(
    ("endpoint", "kind"),
    [
        (Endpoint.EMBEDDINGS, ProviderKind.ANTHROPIC),
        (Endpoint.COUNT_TOKENS, ProviderKind.OPENAI),
        (Endpoint.COUNT_TOKENS, ProviderKind.OPENAI_LIKE),
    ],
)
def test_what_cannot_be_translated_is_not_served(endpoint: Endpoint, kind: ProviderKind) -> None:
    assert not formats.serves(kind, endpoint)
    with pytest.raises(FormatNotServed) as caught:
        formats.pick(endpoint, kind, "acme", "m-1")
    assert str(caught.value) == f"acme does not serve {endpoint.value} for m-1"


@pytest.mark.parametrize(
    ("spoken", "kind", "known", "asked", "parameter"),
    [
        (Endpoint.MESSAGES, ProviderKind.ANTHROPIC, "max_completion_tokens", "max_completion_tokens", "max_tokens"),
        (Endpoint.RESPONSES, ProviderKind.OPENAI, "max_completion_tokens", "", "max_output_tokens"),
        (Endpoint.CHAT, ProviderKind.OPENAI, "max_tokens", "max_completion_tokens", "max_tokens"),
        (Endpoint.CHAT, ProviderKind.OPENAI, "", "max_tokens", "max_tokens"),
        (Endpoint.CHAT, ProviderKind.OPENAI, "", "max_output_tokens", "max_completion_tokens"),
        (Endpoint.CHAT, ProviderKind.OPENAI_LIKE, "", "", "max_tokens"),
        (Endpoint.EMBEDDINGS, ProviderKind.OPENAI, "max_tokens", "", ""),
        (Endpoint.COUNT_TOKENS, ProviderKind.ANTHROPIC, "", "", ""),
    ],
)
def test_the_cap_is_written_under_the_name_that_is_understood_there(
    spoken: Endpoint, kind: ProviderKind, known: str, asked: str, parameter: str
) -> None:
    assert formats.cap_parameter(spoken, kind, known, asked) == parameter


@pytest.mark.parametrize(
    ("endpoint", "kind", "spoken"),
    [
        (Endpoint.CHAT, ProviderKind.ANTHROPIC, Endpoint.MESSAGES),
        (Endpoint.RESPONSES, ProviderKind.ANTHROPIC, Endpoint.MESSAGES),
        (Endpoint.MESSAGES, ProviderKind.OPENAI, Endpoint.CHAT),
        (Endpoint.MESSAGES, ProviderKind.OPENAI_LIKE, Endpoint.CHAT),
        (Endpoint.RESPONSES, ProviderKind.OPENAI_LIKE, Endpoint.CHAT),
    ],
)
def test_a_chat_in_any_format_reaches_any_provider(endpoint: Endpoint, kind: ProviderKind, spoken: Endpoint) -> None:
    way = formats.pick(endpoint, kind)
    assert formats.serves(kind, endpoint)
    assert way.spoken is spoken
    assert way.translator is not None
    assert (way.translator.asked, way.translator.spoken) == (endpoint, spoken)


def test_a_stream_is_scanned_or_translated_as_the_way_goes() -> None:
    ask = read_chat({"model": "m", "messages": [{"role": "user", "content": "Hi"}], "stream": True})
    assert isinstance(formats.scanner(formats.pick(Endpoint.CHAT, ProviderKind.ANTHROPIC), ask, 0), TranslatedStream)
    scanner = formats.scanner(formats.pick(Endpoint.CHAT, ProviderKind.OPENAI), ask, 0)
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":1}}\n\n'
    assert scanner.feed(usage) == b""
    ask.usage_asked = True
    assert formats.scanner(formats.pick(Endpoint.CHAT, ProviderKind.OPENAI), ask, 0).feed(usage) == usage


def test_each_format_has_its_reading() -> None:
    assert isinstance(formats.stream(Endpoint.CHAT), ChatStream)
    assert isinstance(formats.stream(Endpoint.MESSAGES), MessagesStream)
    assert isinstance(formats.stream(Endpoint.RESPONSES), ResponsesStream)
    for endpoint in formats.READERS:
        assert formats.read_answer(endpoint, b"{}") is not None
