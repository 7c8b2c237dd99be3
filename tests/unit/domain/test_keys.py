import pytest

from clavero.domain.errors import KeyDisabled, KeyExpired, KeyPending, KeyRevoked, KeyRotated
from clavero.domain.keys import (
    EDGES,
    Key,
    KeyState,
    KeyVersion,
    Kid,
    may_become,
    moment,
    newest,
    standing,
    state_at,
    version_for,
    working,
    working_state,
)

NOW = 1_795_000_000_000_000_000
HOUR = 3_600_000_000_000
FIRST = KeyVersion(1, b"one", 1, "aaaa", NOW - HOUR, ends_ns=NOW + HOUR)
SECOND = KeyVersion(2, b"two", 1, "bbbb", NOW)


def key(state: KeyState = KeyState.ACTIVE, **more: object) -> Key:
    facts: dict[str, object] = {"versions": (FIRST, SECOND), **more}
    return Key(id=Kid("k"), name="n", owner="asha", service="s", environment="prod", state=state, **facts)  # type: ignore[arg-type] # facts of a test


def test_every_state_has_its_edges() -> None:
    assert set(EDGES) == set(KeyState)


def test_nothing_leads_back_from_revoked() -> None:
    reached = {KeyState.REVOKED}
    for _ in KeyState:
        reached |= {then for now in reached for then in EDGES[now]}
    assert reached == {KeyState.REVOKED, KeyState.RETIRED}


@pytest.mark.parametrize("state", [state for state in KeyState if state not in {KeyState.REVOKED, KeyState.RETIRED}])
def test_every_key_that_is_not_over_can_be_revoked(state: KeyState) -> None:
    assert may_become(state, KeyState.REVOKED)
    assert not may_become(state, KeyState.RETIRED)


def test_an_active_key_is_not_made_active() -> None:
    assert not may_become(KeyState.ACTIVE, KeyState.ACTIVE)
    assert may_become(KeyState.ROTATING, KeyState.ROTATING)


@pytest.mark.parametrize("version", [FIRST, SECOND])
@pytest.mark.parametrize("state", [KeyState.ACTIVE, KeyState.ROTATING, KeyState.PENDING])
def test_both_versions_are_welcome_while_they_overlap(state: KeyState, version: KeyVersion) -> None:
    assert standing(key(state), version, NOW) is None


def test_an_ended_version_hears_which_one_to_use() -> None:
    problem = standing(key(), FIRST, NOW + HOUR)
    assert isinstance(problem, KeyRotated)
    assert problem.facts == {"n": 1, "k": 2, "owner": "asha"}
    assert standing(key(), SECOND, NOW + HOUR) is None


@pytest.mark.parametrize("state", [KeyState.REVOKED, KeyState.RETIRED])
def test_a_revoked_key_is_revoked_before_anything_else(state: KeyState) -> None:
    assert isinstance(standing(key(state, expires_ns=1), FIRST, NOW + HOUR), KeyRevoked)


def test_a_disabled_key_names_its_owner() -> None:
    problem = standing(key(KeyState.DISABLED), SECOND, NOW)
    assert isinstance(problem, KeyDisabled)
    assert problem.facts["owner"] == "asha"


def test_expiry_begins_at_its_instant() -> None:
    assert standing(key(expires_ns=NOW + 1), SECOND, NOW) is None
    problem = standing(key(expires_ns=NOW), SECOND, NOW)
    assert isinstance(problem, KeyExpired)
    assert problem.facts["date"] == moment(NOW)


def test_a_pending_key_begins_by_the_clock() -> None:
    pending = key(KeyState.PENDING, starts_ns=NOW)
    assert isinstance(standing(pending, SECOND, NOW - 1), KeyPending)
    assert standing(pending, SECOND, NOW) is None
    assert state_at(pending, NOW - 1) is KeyState.PENDING
    assert state_at(pending, NOW) is KeyState.ROTATING
    assert state_at(pending, NOW + HOUR) is KeyState.ACTIVE


def test_an_overlap_ends_by_the_clock() -> None:
    rotating = key(KeyState.ROTATING)
    assert state_at(rotating, NOW) is KeyState.ROTATING
    assert state_at(rotating, NOW + HOUR) is KeyState.ACTIVE
    assert working(rotating, NOW) == (FIRST, SECOND)
    assert working(rotating, NOW + HOUR) == (SECOND,)


@pytest.mark.parametrize("state", [KeyState.DISABLED, KeyState.REVOKED, KeyState.RETIRED, KeyState.ACTIVE])
def test_other_states_stay_what_they_are(state: KeyState) -> None:
    assert state_at(key(state), NOW + HOUR) is state


def test_an_enabled_key_is_what_its_versions_and_start_make_it() -> None:
    assert working_state(key(starts_ns=NOW + 1), NOW) is KeyState.PENDING
    assert working_state(key(), NOW) is KeyState.ROTATING
    assert working_state(key(), NOW + HOUR) is KeyState.ACTIVE


def test_the_version_of_a_digest_is_found_even_when_it_has_ended() -> None:
    assert version_for(key(), lambda version: version.digest == b"one") is FIRST
    assert version_for(key(), lambda version: version.digest == b"three") is None
    assert version_for(key(), lambda _: True) is newest(key()) is SECOND


def test_an_instant_is_written_with_its_zone() -> None:
    assert moment(1_795_442_700_000_000_000) == "2026-11-23 14:05 UTC"
