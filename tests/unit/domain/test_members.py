import pytest

from clavero.domain.keys import Key, KeyState, Kid
from clavero.domain.members import Leaver, is_email, same, transfer_due


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


@pytest.mark.parametrize("state", list(KeyState))
def test_only_what_is_not_over_waits_for_another_owner(state: KeyState) -> None:
    key = Key(id=Kid("x"), name="dev-x-01", owner="asha", service="x", environment="dev", state=state)
    over = state in {KeyState.REVOKED, KeyState.RETIRED}
    assert transfer_due(key, {"asha": Leaver("asha", 1, 7)}) == (0 if over else 7)
    assert transfer_due(key, {"bo": Leaver("bo", 1, 7)}) == 0
