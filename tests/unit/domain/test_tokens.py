import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clavero.domain.secret import mask
from clavero.domain.tokens import ALPHABET, Kind, base62, checksum_ok, mint, mint_for, provider_key, read

STEM = "clvk_prod_0123456789AB_" + "a" * 43


def fixed(size: int) -> bytes:
    return bytes(range(size))


def test_the_check_vector_of_the_format() -> None:
    assert checksum_ok(STEM + "3rYW1j")
    assert not checksum_ok(STEM + "3rYW1k")
    assert base62(3539770571, 6) == "3rYW1j"


def test_the_alphabet_is_digits_capitals_small_letters() -> None:
    assert list(ALPHABET) == sorted(ALPHABET)
    assert len(ALPHABET) == 62


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("env", ["qa", "prod", "staging2"])
def test_what_is_minted_is_read_again(kind: Kind, env: str) -> None:
    kid, secret = mint(kind, env, os.urandom)
    shape = read(secret.reveal())
    assert shape is not None
    assert (shape.kind, shape.env, shape.kid) == (kind, env, kid)
    assert checksum_ok(secret.reveal())


def test_the_secret_is_the_32_bytes_big_endian_and_padded() -> None:
    _, secret = mint(Kind.VIRTUAL_KEY, "prod", lambda size: b"\0" * (size - 1) + b"\1")
    assert secret.reveal().split("_")[3][:43] == "0" * 42 + "1"
    _, most = mint(Kind.VIRTUAL_KEY, "prod", lambda size: b"\xff" * size)
    digits = most.reveal().split("_")[3][:43]
    value = 0
    for digit in digits:
        value = value * 62 + ALPHABET.index(digit)
    assert value == 2**256 - 1


def test_two_tokens_share_nothing() -> None:
    minted = [mint(Kind.VIRTUAL_KEY, "prod", os.urandom) for _ in range(200)]
    assert len({kid for kid, _ in minted}) == 200
    assert len({secret.reveal()[23:] for _, secret in minted}) == 200


def test_the_next_version_of_a_key_keeps_its_public_id() -> None:
    kid, secret = mint(Kind.VIRTUAL_KEY, "prod", os.urandom)
    following = mint_for(Kind.VIRTUAL_KEY, "prod", kid, os.urandom)
    assert following != secret
    shape = read(following.reveal())
    assert shape is not None
    assert shape.kid == kid


def test_a_number_that_does_not_fit_is_an_error() -> None:
    with pytest.raises(OverflowError):
        base62(62**6, 6)


@pytest.mark.parametrize("env", ["", "p", "production", "Prod", "pr-od", "prod\n", "prød", "pr od"])
def test_an_environment_that_cannot_stand_in_a_token_is_refused(env: str) -> None:
    with pytest.raises(ValueError, match="environment"):
        mint(Kind.VIRTUAL_KEY, env, fixed)


@pytest.mark.parametrize(
    "text",
    [
        "",
        STEM,
        STEM + "3rYW1",
        STEM + "3rYW1jj",
        STEM + "3rYW1j\n",
        " " + STEM + "3rYW1j",
        "clvx" + STEM[4:] + "3rYW1j",
        STEM.replace("prod", "PROD") + "3rYW1j",
        STEM.replace("prod", "p") + "3rYW1j",
        STEM.replace("0123456789AB", "0123456789A_") + "3rYW1j",
        STEM.replace("0123456789AB", "\u0660123456789AB") + "3rYW1j",
        STEM[:-1] + "é3rYW1j",
        "sk-" + "a" * 48,
    ],
)
def test_garbage_has_no_shape(text: str) -> None:
    assert read(text) is None


@given(st.text(max_size=90))
def test_any_text_is_read_without_harm(text: str) -> None:
    shape = read(text)
    assert shape is None or text.isascii()
    assert checksum_ok(text) in {True, False}


@given(st.integers(0, 71), st.sampled_from(ALPHABET))
def test_one_altered_character_never_passes_the_checksum(place: int, other: str) -> None:
    token = mint(Kind.VIRTUAL_KEY, "prod", fixed)[1].reveal()
    if token[place] != other:
        assert not checksum_ok(token[:place] + other + token[place + 1 :])


@pytest.mark.parametrize("kind", list(Kind))
def test_the_filter_of_the_sinks_knows_every_kind(kind: Kind) -> None:
    token = mint(kind, "prod", os.urandom)[1].reveal()
    assert token[23:] not in mask(f"x {token} y")


@pytest.mark.parametrize(
    ("text", "provider"),
    [
        ("sk-proj-" + "a" * 40, "openai"),
        ("sk-ant-api03-" + "a" * 40, "anthropic"),
        ("sk-or-v1-" + "a" * 40, "openrouter"),
        ("AIza" + "a" * 35, "gemini"),
        ("pplx-" + "a" * 40, "perplexity"),
        ("0123456789abcdef" * 2, "azure"),
        ("a" * 52 + "JQQJ99" + "b" * 26, "azure"),
        (STEM + "3rYW1j", ""),
        ("", ""),
        ("hello", ""),
        ("sk-", ""),
    ],
)
def test_a_provider_key_is_recognised(text: str, provider: str) -> None:
    assert provider_key(text) == provider
