import msgspec

from clavero.domain.usage import Attempt, Exchange, Tokens


def test_kinds_do_not_overlap() -> None:
    tokens = Tokens(input=1, cached=2, cache_write=4, output=8, reasoning=16)
    assert (tokens.all_input, tokens.all_output) == (7, 24)


def test_a_row_survives_the_journal_whole() -> None:
    row = Exchange("req_1", 2**60, tokens=Tokens(1, 2, 3, 4, 5), attempts=(Attempt("p", "m", 1, 2, 200),), cost_n=2**62)
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(row), type=Exchange) == row
