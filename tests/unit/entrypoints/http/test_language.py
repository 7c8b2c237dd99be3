import pytest

from clavero.entrypoints.http.language import language_of


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("es", "es"),
        ("es-PE,es;q=0.9,en;q=0.8", "es"),
        ("en-US,es;q=0.9", "en"),
        ("fr, de", "en"),
        ("fr, es;q=0.1", "es"),
        ("en;q=0.5, es;q=0.7", "es"),
        ("es;q=0", "en"),
        ("es;q=nan, en;q=0.1", "en"),
        ("es;q=7", "en"),
        ("es;level=1", "en"),
        (",;=,q=", "en"),
        ("x" * 100_000 + ",es", "en"),
    ],
)
def test_spanish_where_it_is_preferred_else_english(accepted: str, language: str) -> None:
    assert language_of(accepted) == language
