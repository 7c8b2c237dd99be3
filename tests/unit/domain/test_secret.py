import json
import pickle
from collections.abc import Callable

import msgspec
import pytest

from clavero.domain.secret import MASKED, Secret, mask, mask_deep, mask_event

VALUE = "not-a-real-secret-" + "x" * 20


@pytest.mark.parametrize(
    "write", [str, repr, "{}".format, "{:>9}".format, lambda one: f"{one}", lambda one: "%s" % one]
)
def test_no_way_of_writing_it_shows_it(write: Callable[[object], str]) -> None:
    assert VALUE not in write(Secret(VALUE))
    assert MASKED in write(Secret(VALUE))


def test_it_is_neither_pickled_nor_encoded() -> None:
    for encode in (pickle.dumps, json.dumps, msgspec.json.encode, msgspec.msgpack.encode):
        with pytest.raises(TypeError):
            encode(Secret(VALUE))


def test_a_traceback_does_not_carry_it() -> None:
    with pytest.raises(KeyError) as caught:
        raise KeyError(Secret(VALUE))
    assert VALUE not in str(caught.value)


def test_two_secrets_are_compared_not_hashed() -> None:
    assert Secret(VALUE) == Secret(VALUE)
    assert Secret(VALUE) != Secret("other")
    assert Secret(VALUE) != VALUE
    with pytest.raises(TypeError):
        {Secret(VALUE)}


def test_the_last_four_of_a_long_one_may_be_shown() -> None:
    assert Secret(VALUE).last_four == "xxxx"
    assert Secret("short").last_four == ""
    assert len(Secret("short")) == 5


@pytest.mark.requirement(38)
@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("clvk_prod_0123456789AB_" + "a" * 49, "clvk_prod_0123456789AB_"),
        ("sk-proj-" + "a" * 40, "sk-p"),
        ("sk-ant-api03-" + "b" * 40, "sk-a"),
        ("AIza" + "c" * 35, "AIza"),
        ("pplx-" + "d" * 40, "pplx"),
        ("Authorization: Bearer " + "e" * 30, "Bearer"),
    ],
)
def test_known_formats_are_masked_wherever_they_stand(text: str, kept: str) -> None:
    masked = mask(f"before {text} after")
    assert text[-12:] not in masked
    assert kept in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")


def test_values_are_masked_however_deep() -> None:
    key = "sk-" + "a" * 40
    assert key not in json.dumps(mask_deep({"a": [key, {"b": key.encode()}], key: 1}))
    assert key not in str(mask_event(None, "info", {"event": f"sent {key}", "n": 1}))
