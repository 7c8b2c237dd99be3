import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavero.domain.keys import Kid
from clavero.domain.tokens import base62, checksum_ok, mint, new_kid, provider_key, read

KID = Kid("0123456789AB")


def test_the_published_check_vector() -> None:
    body = "clvk_prod_0123456789AB_" + "a" * 43
    assert checksum_ok(body + "3rYW1j")
    assert not checksum_ok(body + "3rYW1k")


@given(st.binary(min_size=32, max_size=32), st.from_regex(r"\A[a-z0-9]{2,8}\Z"))
def test_what_is_minted_is_read_again(secret: bytes, env: str) -> None:
    text = mint("k", env, KID, secret).reveal()
    shape = read(text)
    assert shape is not None
    assert (shape.kind, shape.env, shape.kid) == ("k", env, KID)
    assert checksum_ok(text)


@given(st.text(max_size=120))
def test_garbage_is_no_key(text: str) -> None:
    assert read(text) is None
    assert not checksum_ok(text)


def test_the_secret_is_padded_on_the_left() -> None:
    assert mint("a", "prod", KID, bytes(32)).reveal()[23:66] == "0" * 43
    assert base62(61, 2) == "0z"


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="32"):
        mint("k", "prod", KID, b"short")


@given(st.binary(min_size=9, max_size=9))
def test_a_kid_has_12_digits(random: bytes) -> None:
    assert len(new_kid(random)) == 12


def test_a_letter_changed_is_noticed() -> None:
    text = mint("k", "prod", KID, b"\x01" * 32).reveal()
    for place in range(23, len(text)):
        other = "0" if text[place] != "0" else "1"
        assert not checksum_ok(text[:place] + other + text[place + 1 :])


def test_a_providers_key_is_recognised() -> None:
    assert provider_key("sk-proj-x")
    assert not provider_key("clvk_prod_x")
