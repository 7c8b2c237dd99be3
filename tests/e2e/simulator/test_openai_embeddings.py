"""The official openai client's embeddings and models, straight against the simulator. Plain dicts stand for its types, so it is typed `Any`."""

import math
from collections.abc import AsyncIterator
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI

from clavero.simulator import Simulator


@pytest.fixture
async def client(simulator: Simulator) -> AsyncIterator[AsyncOpenAI]:
    async with AsyncOpenAI(base_url=f"{simulator.url}/v1", api_key="any", max_retries=0) as made:
        yield made


async def test_a_text_always_lies_at_the_same_place_of_length_one(client: Any) -> None:
    reply = await client.embeddings.create(model="text-embedding-3-small", input=["a b", "c", "a b"])
    first, second, third = (row.embedding for row in reply.data)
    assert first == third != second
    assert len(first) == 1536
    assert math.isclose(sum(value * value for value in first), 1, abs_tol=1e-5)
    assert reply.usage.prompt_tokens == 5


async def test_both_encodings_say_the_same(client: Any) -> None:
    packed = await client.embeddings.create(model="text-embedding-3-large", input="a", dimensions=8)
    plain = await client.embeddings.create(
        model="text-embedding-3-large", input="a", dimensions=8, encoding_format="float"
    )
    assert plain.data[0].embedding == pytest.approx(packed.data[0].embedding, abs=1e-6)
    assert len(plain.data[0].embedding) == 8


async def test_token_numbers_count_one_each(client: Any) -> None:
    reply = await client.embeddings.create(model="text-embedding-3-small", input=[[1, 2, 3], [4]])
    assert (len(reply.data), reply.usage.prompt_tokens) == (2, 4)


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ({"model": "gpt-4o"}, 404),
        ({"dimensions": 1537}, 400),
        ({"model": "text-embedding-ada-002", "dimensions": 8}, 400),
        ({"input": []}, 400),
        ({"input": [""]}, 400),
        ({"input": {"a": 1}}, 400),
        ({"input": "word " * 8_192}, 400),
    ],
)
async def test_bad_input_is_refused(client: Any, asked: dict[str, object], status: int) -> None:
    with pytest.raises(openai.APIStatusError) as refused:
        await client.embeddings.create(**({"model": "text-embedding-3-small", "input": "a"} | asked))
    assert refused.value.status_code == status


async def test_models_are_listed_and_shown(client: Any) -> None:
    names = [model.id async for model in client.models.list()]
    assert {"gpt-4o-mini", "text-embedding-3-small", "o3"} <= set(names)
    assert (await client.models.retrieve("gpt-4o-mini")).owned_by == "clavero-simulator"
    with pytest.raises(openai.NotFoundError):
        await client.models.retrieve("gpt-nope")
