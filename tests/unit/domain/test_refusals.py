import pytest

from clavero.domain.refusals import (
    AlreadyExists,
    ChangeNotRecorded,
    Conflict,
    EnvironmentFrozen,
    Forbidden,
    InUse,
    InvalidValue,
    NotFound,
    NotSignedIn,
    OthersNeedRootKey,
    OwnerLeft,
    OwnerUnknown,
    RecordDeleted,
    Refusal,
    RekeyRuns,
    StateForbids,
    StorageUnavailable,
    TierForbids,
    VaultClosed,
)

EACH = [
    NotSignedIn(),
    Forbidden("key.revoke"),
    NotFound("key", "prod-x-01", "prod-y-01"),
    RecordDeleted("req_0000", "2026-11-01"),
    AlreadyExists("key", "prod-x-01"),
    InvalidValue("name", "<env>-<service>-<nn>", "dev-x-01"),
    StateForbids("key", "prod-x-01", "revoked", "enabled", "clavero key create"),
    InUse("provider", "openai", "model support"),
    OwnerUnknown("ahsa", "asha"),
    OwnerLeft("asha", "2026-11-23"),
    TierForbids("prod", "critical", "service mail names nobody on call", "clavero service update mail --on-call WHO"),
    EnvironmentFrozen("prod", "2026-11-30 08:00 UTC", "black friday"),
    Conflict("Two people changed it", "Look again"),
    ChangeNotRecorded(),
    StorageUnavailable(),
    VaultClosed("a row is missing"),
    RekeyRuns(),
    OthersNeedRootKey(1),
]


@pytest.mark.parametrize("refusal", EACH, ids=lambda one: one.code)
def test_every_refusal_says_a_fact_and_a_next_step(refusal: Refusal) -> None:
    assert refusal.message
    assert "{" not in refusal.message
    assert refusal.fix
    assert str(refusal) == refusal.message


def test_every_refusal_is_shown_here() -> None:
    here = {kind for kind in Refusal.__subclasses__() if kind.__module__ == Refusal.__module__}
    assert {type(one) for one in EACH} == here


def test_the_code_comes_from_the_name() -> None:
    assert NotFound("key", "x").code == "not_found"
    assert ChangeNotRecorded.code == "change_not_recorded"


def test_a_near_name_is_the_remedy() -> None:
    assert NotFound("key", "prod-x-1", "prod-x-01").fix == "Try prod-x-01"
    assert NotFound("key", "prod-x-1").fix == "clavero key list"


def test_a_name_in_a_command_can_be_pasted() -> None:
    assert OwnerUnknown("Asha Rao").fix == "clavero member add 'Asha Rao'"
    assert OwnerUnknown("ahsa", "asha").message.endswith("; the nearest is asha")


def test_what_was_sent_is_said_back_masked_and_short() -> None:
    pasted = "sk-" + "a1B2" * 8
    refusal = NotFound("key", pasted + "x" * 5000)
    assert pasted not in refusal.message
    assert len(refusal.message) < 300
    assert pasted not in InvalidValue("name", "short", pasted).fix


def test_braces_in_a_name_are_only_text() -> None:
    assert NotFound("key", "{fix}{0}").message == "There is no key {fix}{0}"


def test_what_can_be_pasted_is_a_command_or_an_option_alone() -> None:
    for refusal in EACH:
        if refusal.pastes:
            assert refusal.fix.startswith(("clavero ", "--"))
