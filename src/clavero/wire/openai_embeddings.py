"""OpenAI's embeddings as answers: they have input tokens alone."""

from typing import Any

import msgspec
from msgspec import Struct

from clavero.domain.usage import Tokens
from clavero.wire.answer import Answer, member, split, whole


class _Embeddings(Struct, gc=False):
    model: Any = None
    usage: Any = None


_ANSWERS = msgspec.json.Decoder(_Embeddings)


def usage(reported: Any) -> Tokens | None:
    """The tokens of a `usage` object; None where it is none."""
    return split(member(reported, "prompt_tokens"), 0)


def read_answer(body: bytes) -> Answer:
    """A plain answer; embeddings are not streamed."""
    answer = whole(_ANSWERS, body)
    return Answer(usage(answer.usage), str(answer.model or ""))
