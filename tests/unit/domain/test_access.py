import pytest

from clavero.domain.access import GRANTS, Role, may


def test_an_owner_may_do_everything_and_an_auditor_only_look() -> None:
    assert may(Role.OWNER, "key.revoke")
    assert may(Role.AUDITOR, "key.read")
    assert not may(Role.AUDITOR, "key.revoke")


@pytest.mark.parametrize("role", Role)
def test_every_role_is_in_the_table(role: Role) -> None:
    assert role in GRANTS
