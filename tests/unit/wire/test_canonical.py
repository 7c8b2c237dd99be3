"""The words that readers and writers of formats share."""

from typing import Any

import pytest

from clavero.domain.errors import InvalidParameter
from clavero.wire import canonical as c


def test_only_what_is_known_or_neutral_or_absent_passes() -> None:
    c.only({"a": 1, "b": None, "n": 1, "x": []}, ("a",), {"n": (1,), "x": ([],)})
    with pytest.raises(InvalidParameter, match="logit_bias must be left out"):
        c.only({"a": 1, "logit_bias": {"50256": -100}}, ("a",), {"logit_bias": ({},)})
    with pytest.raises(InvalidParameter, match=r"messages\[0\]\.name"):
        c.only({"name": "Ana"}, (), {}, "messages[0].")


@pytest.mark.parametrize("value", [None, "x", {}, [1], [{}, []]])
def test_a_list_of_objects_is_told_by_the_path_of_what_is_none(value: Any) -> None:
    with pytest.raises(InvalidParameter) as caught:
        c.items(value, "input")
    assert str(caught.value.facts["name"]).startswith("input")


def test_arguments_are_the_text_of_an_object() -> None:
    assert c.arguments('{"a": 1}', "p") == {"a": 1}
    assert c.arguments("  ", "p") == {}
    for bad in ("[]", "{", "7", '{"a": NaN}', "[" * 5000, '"\ud800"'):
        with pytest.raises(InvalidParameter):
            c.arguments(bad, "p")


def test_a_data_url_is_taken_apart_and_put_together() -> None:
    url = "data:image/png;base64,iVBORw0KGgo="
    found = c.media("image", url, "p")
    assert (found.media_type, found.data, found.url) == ("image/png", "iVBORw0KGgo=", "")
    assert c.data_url(found) == url
    assert c.media("image", "https://example.com/a.png", "p").url == "https://example.com/a.png"
    assert c.media("image", "data:image/PNG;charset=x;base64,AA==", "p").media_type == "image/png"
    for bad in ("data:image/png,AA", "data:;base64,AA", "data:base64"):
        with pytest.raises(InvalidParameter):
            c.media("image", bad, "p")


def test_a_text_must_be_one() -> None:
    assert c.text("", "p") == ""
    with pytest.raises(InvalidParameter):
        c.text(None, "p")
