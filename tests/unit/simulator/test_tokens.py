from hypothesis import given, settings
from hypothesis import strategies as st

from clavero.simulator.tokens import count, pieces

texts = st.text(st.characters(codec="utf-8"))


@given(texts)
def test_pieces_joined_are_the_text(text: str) -> None:
    assert "".join(pieces(text)) == text


@given(texts)
def test_a_text_counts_no_more_than_its_bytes(text: str) -> None:
    assert count(text) <= len(text.encode())


@settings(max_examples=200)
@given(texts, st.integers(0, 50))
def test_the_first_pieces_count_as_many_as_they_are(text: str, kept: int) -> None:
    wanted = pieces(text)[:kept]
    assert pieces("".join(wanted)) == wanted


def test_long_texts_are_counted_alike() -> None:
    assert count("one " * 5_000) == 10_000 - 5_000 + 1


def test_english_counts_about_a_token_a_word() -> None:
    assert count("The quick brown fox jumps over the lazy dog.") == 10
