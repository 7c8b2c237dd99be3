"""Usage told in `message_delta` counts, wherever else usage was told: envoyproxy/ai-gateway#2290."""

import pytest

from clavero.domain.usage import Tokens
from clavero.wire import sse
from clavero.wire.anthropic import MessagesStream
from clavero.wire.sse import Scanner


@pytest.mark.parametrize(
    ("start", "end", "tokens"),
    [
        ({}, {"input_tokens": 4522, "cache_creation_input_tokens": 4511, "output_tokens": 5}, Tokens(4522, 0, 4511, 5)),
        ({"input_tokens": 0, "output_tokens": 0}, {"input_tokens": 7, "output_tokens": 5}, Tokens(7, 0, 0, 5)),
        ({"input_tokens": 15, "output_tokens": 1}, {"input_tokens": 0, "output_tokens": 5}, Tokens(15, 0, 0, 5)),
        (
            {"input_tokens": 15, "cache_read_input_tokens": 9, "output_tokens": 1},
            {"output_tokens": 5},
            Tokens(15, 9, 0, 5),
        ),
    ],
)
def test_the_final_figures_are_taken_from_where_they_were_told(
    start: dict[str, int], end: dict[str, int], tokens: Tokens
) -> None:
    scanner = Scanner(MessagesStream())
    scanner.feed(sse.event({"type": "message_start", "message": {"model": "m", "usage": start}}, "message_start"))
    scanner.feed(
        sse.event({"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": end}, "message_delta")
    )
    scanner.feed(sse.event({"type": "message_stop"}, "message_stop"))
    assert scanner.stream.complete
    assert scanner.stream.tokens == tokens
