"""What a target is sent, what that can cost, and the cap that goes with it."""

import json
from typing import Any

from tests.unit.gateway.world import CLAUDE, PRICES, SIM, new_key

from clavero.domain.budgets import Budget, Subject, Window, budget_id
from clavero.domain.credentials import Network, Provider, ProviderKind
from clavero.domain.endpoints import Endpoint
from clavero.domain.pricing import Price, worst_case
from clavero.domain.routing import Target
from clavero.domain.secret import Secret
from clavero.gateway.leg import Leg
from clavero.gateway.view import Grant
from clavero.wire.ask import READERS
from clavero.wire.body import decode

HI = [{"role": "user", "content": "Hi"}]
BUDGET = Budget(
    id=budget_id(Subject.TEAM, "apps", Window.DAY), subject=Subject.TEAM, name="apps", window=Window.DAY, limit_n=1
)
LIKE = Provider(
    name="like", kind=ProviderKind.OPENAI_LIKE, base_url="http://127.0.0.1:1/base/v1", network=Network.LOOPBACK
)
OPENAI = Provider(name="openai", kind=ProviderKind.OPENAI, base_url="https://api.example/v1")


def leg(
    body: dict[str, Any],
    endpoint: Endpoint = Endpoint.CHAT,
    provider: Provider = SIM,
    price: Price | None = PRICES[0],
    served: str = "",
    *,
    budgets: bool = True,
) -> Leg:
    key, _ = new_key(default_output_tokens=700)
    ask = READERS[endpoint](decode(json.dumps(body).encode()))
    return Leg(ask, Target(provider, served or ask.model, price), Grant(key, "", "", (BUDGET,) if budgets else ()))


def sent(one: Leg, cap: int | None = None) -> dict[str, Any]:
    tree = json.loads(one.outgoing(one.wish.cap if cap is None else cap, Secret("upstream-key"), {}, "1").body)
    assert isinstance(tree, dict)
    return tree


def chat(**more: Any) -> dict[str, Any]:
    return {"model": "gpt-4o-mini", "messages": HI, **more}


def test_the_cap_is_what_is_asked_or_usual_and_never_beyond_the_model() -> None:
    assert leg(chat()).wish.cap == 700
    assert leg(chat(max_tokens=50)).wish.cap == 50
    assert leg(chat(max_tokens=10**6)).wish.cap == 16_384


def test_exactly_one_cap_is_sent_under_the_parameter_of_the_model() -> None:
    known = Price(id="x/y", version="v", input=1, output=1, cap_parameter="max_completion_tokens")
    assert sent(leg(chat(max_tokens=50), price=known)) == chat(max_completion_tokens=50)
    assert sent(leg(chat(max_tokens=50))) == chat(max_tokens=50)
    assert sent(leg(chat(), provider=LIKE)) == chat(max_tokens=700)
    assert sent(leg({"model": "gpt-4o-mini", "input": "x"}, Endpoint.RESPONSES))["max_output_tokens"] == 700


def test_a_lower_cap_is_written_and_told() -> None:
    one = leg(chat(max_tokens=500))
    assert sent(one, 300)["max_tokens"] == 300
    assert (one.told_cap(300), one.told_cap(500)) == (300, 0)
    assert leg(chat()).told_cap(700) == 700


def test_without_a_budget_a_body_goes_as_it_came() -> None:
    body = chat(zeta=1, temperature=0.5)
    one = leg(body, budgets=False)
    assert list(sent(one).items()) == list(body.items())
    assert one.told_cap(one.wish.cap) == 0
    assert one.wish.budgets == ()


def test_messages_always_carry_a_cap_also_where_a_chat_asked_for_none() -> None:
    one = leg(chat(model="haiku-1"), provider=CLAUDE, price=PRICES[1], budgets=False)
    assert sent(one)["max_tokens"] == 700


def test_the_model_is_sent_under_the_name_it_is_served_as() -> None:
    assert sent(leg(chat(model="house"), served="gpt-4o-mini"))["model"] == "gpt-4o-mini"


def test_usage_is_asked_for_in_streamed_chats_alone() -> None:
    assert sent(leg(chat(stream=True)))["stream_options"] == {"include_usage": True}
    kept = sent(leg(chat(stream=True, stream_options={"x": 1, "include_usage": False})))
    assert kept["stream_options"] == {"x": 1, "include_usage": True}
    assert "stream_options" not in sent(leg(chat()))
    body = {"model": "gpt-4o-mini", "input": "x", "stream": True}
    assert "stream_options" not in sent(leg(body, Endpoint.RESPONSES))


def test_the_bound_covers_every_byte_that_is_sent_images_and_tools() -> None:
    one = leg(chat(max_tokens=100, n=3))
    body = one.outgoing(100, Secret("upstream-key"), {}, "1").body
    assert one.wish.bound.tokens >= len(body)
    assert one.wish.cost(100) == worst_case(PRICES[0], one.wish.bound, 300)
    image = {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}
    seen = leg(chat(messages=[{"role": "user", "content": [image, image]}]))
    assert seen.wish.bound.images == 2
    tool = {"type": "function", "function": {"name": "f"}}
    assert leg(chat(tools=[tool])).wish.bound.tokens > one.wish.bound.tokens + 1000


def test_what_a_file_costs_cannot_be_bounded() -> None:
    file = {"type": "file", "file": {"file_data": "data:application/pdf;base64,AA=="}}
    assert leg(chat(messages=[{"role": "user", "content": [file]}])).wish.unbounded == ("a file",)
    assert leg(chat(web_search_options={})).wish.unbounded == ("web_search_options",)


def test_counting_tokens_is_free_and_embeddings_have_no_output() -> None:
    counting = leg({"model": "haiku-1", "messages": HI}, Endpoint.COUNT_TOKENS, CLAUDE, PRICES[1])
    assert (counting.wish.budgets, counting.wish.cost(0), counting.wish.cap) == ((), 0, 0)
    body = {"model": "gpt-4o-mini", "input": "x"}
    embedding = leg(body, Endpoint.EMBEDDINGS)
    assert embedding.wish.cap == 0
    assert embedding.wish.budgets == (BUDGET,)
    assert sent(embedding) == body


def test_a_call_goes_to_the_provider_s_own_origin_and_path_with_its_own_key() -> None:
    one = leg(chat(base_url="https://evil.example"), provider=LIKE)
    out = one.outgoing(9, Secret("upstream-key"), {"authorization": "Bearer theirs", "openai-beta": "a=b"}, "1.2")
    assert one.origin == "http://127.0.0.1:1"
    assert (out.method, out.target) == ("POST", "/base/v1/chat/completions")
    headers = dict(out.headers)
    assert headers["authorization"] == "Bearer upstream-key"
    assert headers["openai-beta"] == "a=b"
    assert leg(chat(), provider=OPENAI).origin == "https://api.example:443"


def test_an_estimate_is_a_quarter_of_the_bytes() -> None:
    one = leg(chat(messages=[{"role": "user", "content": "x" * 4000}]))
    assert 1000 < one.estimated_input < 1040


def test_the_estimate_outlives_the_body() -> None:
    one = leg({"model": "gpt-4o-mini", "messages": HI})
    before = one.estimated_input
    one.let_go()
    assert one.estimated_input == before > 0
    assert b"messages" not in one.outgoing(5, Secret("s"), {}, "1").body
