import os

import pytest

from clavero.domain.clues import Clue, read_clue
from clavero.domain.keys import Kid
from clavero.domain.refusals import InvalidValue
from clavero.domain.tokens import Kind, mint


def test_a_whole_key_is_found_in_what_stands_around_it() -> None:
    kid, secret = mint(Kind.VIRTUAL_KEY, "prod", os.urandom)
    for around in ("{}", "Authorization: Bearer {}\r\n", "OPENAI_API_KEY='{}'", '{{"key":"{}"}}'):
        assert read_clue(around.format(secret.reveal())) == Clue(secret, kid)


@pytest.mark.parametrize(
    ("text", "clue"),
    [
        ("7V7Vzytl3Xjl", Clue(kid=Kid("7V7Vzytl3Xjl"), tail="3Xjl", word="7V7Vzytl3Xjl")),
        ("clvk_prod_7V7Vzytl3Xjl_aa…", Clue(kid=Kid("7V7Vzytl3Xjl"), tail="l_aa", word="clvk_prod_7V7Vzytl3Xjl_aa")),
        ("…3rYW", Clue(tail="3rYW", word="3rYW")),
        ("***3rYW1j", Clue(tail="YW1j", word="3rYW1j")),
        ("prod-support", Clue(tail="port", word="prod-support")),
    ],
)
def test_a_piece_says_what_it_can(text: str, clue: Clue) -> None:
    assert read_clue(text) == clue


@pytest.mark.parametrize("text", ["", "abc", "…", "%_%", "a b c d", "x" * 8193])
def test_what_can_tell_nothing_is_refused(text: str) -> None:
    with pytest.raises(InvalidValue):
        read_clue(text)
