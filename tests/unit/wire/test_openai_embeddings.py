"""Embeddings have input alone."""

import pytest

from clavero.domain.calls import BadAnswer
from clavero.domain.usage import Tokens
from clavero.wire.openai_embeddings import read_answer


def test_embeddings_use_input_tokens_alone() -> None:
    answer = read_answer(b'{"object":"list","data":[],"model":"m","usage":{"prompt_tokens":8,"total_tokens":8}}')
    assert (answer.tokens, answer.model) == (Tokens(input=8), "m")
    assert read_answer(b'{"data":[]}').tokens is None
    with pytest.raises(BadAnswer):
        read_answer(b"")
