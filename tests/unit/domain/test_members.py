import pytest

from clavero.domain.members import is_email, same


@pytest.mark.parametrize("text", ["asha@example.com", "a.b+c@d", "ñ@exámple.es"])
def test_an_address_has_two_parts(text: str) -> None:
    assert is_email(text)


@pytest.mark.parametrize(
    "text", ["", "asha", "@x", "a@", "a b@c", "a@b@c", "a@b\n", "a\x00@b", "x" * 65 + "@y", '"a"@b']
)
def test_anything_else_is_none(text: str) -> None:
    assert not is_email(text)


def test_names_that_people_would_confuse_are_the_same() -> None:
    assert same("Asha", "asha")
    assert not same("asha", "ahsa")
