"""A cached or reasoning token is paid once and as what it is: mozilla-ai/otari#198, #430.

OpenAI counts the cache within the input, Anthropic beside it; both count reasoning within the output. Adding parts to
totals overcharges, dropping them undercharges.
"""

from typing import Any

import pytest

from clavero.domain.usage import Tokens
from clavero.wire import anthropic, openai_chat, openai_responses

SAME = Tokens(input=200, cached=700, cache_write=100, output=40, reasoning=260)
CHAT = {
    "prompt_tokens": 1000,
    "completion_tokens": 300,
    "total_tokens": 1300,
    "prompt_tokens_details": {"cached_tokens": 700, "cache_write_tokens": 100},
    "completion_tokens_details": {"reasoning_tokens": 260},
}
RESPONSES = {
    "input_tokens": 1000,
    "output_tokens": 300,
    "total_tokens": 1300,
    "input_tokens_details": {"cached_tokens": 700, "cache_write_tokens": 100},
    "output_tokens_details": {"reasoning_tokens": 260},
}
MESSAGES = {
    "input_tokens": 200,
    "cache_read_input_tokens": 700,
    "cache_creation_input_tokens": 100,
    "output_tokens": 300,
    "output_tokens_details": {"thinking_tokens": 260},
}


@pytest.mark.requirement(53)
@pytest.mark.parametrize(
    ("read", "reported"),
    [(openai_chat.usage, CHAT), (openai_responses.usage, RESPONSES), (anthropic.usage, MESSAGES)],
)
def test_the_same_call_has_the_same_tokens_whoever_counts_them(read: Any, reported: dict[str, Any]) -> None:
    assert read(reported) == SAME
    assert (SAME.all_input, SAME.all_output) == (1000, 300)
