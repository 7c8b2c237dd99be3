import pytest
from msgspec.structs import replace

from clavero.domain.keys import Key, KeyVersion, Kid
from clavero.domain.organisation import Service, Tier
from clavero.domain.tiers import DAY_NS, TERMS, Case, Demand, breaches

NOW = 1_800_000_000 * 10**9
CHAT = Service(name="chat", project="p", team="t", on_call="#chat")


def a_key(age_days: int = 0, ends_days: int = 0) -> Key:
    version = KeyVersion(1, b"", 1, "abcd", NOW - age_days * DAY_NS)
    return Key(
        id=Kid("x"), name="prod-chat-01", owner="asha", service="chat", environment="prod", versions=(version,),
        expires_ns=NOW + ends_days * DAY_NS if ends_days else 0,
    )  # fmt: skip


def broken(key: Key, tier: Tier, service: Service | None = CHAT) -> list[Demand]:
    return [one.demand for one in breaches(Case(key=key, tier=tier, service=service, now_ns=NOW))]


def test_every_tier_has_its_terms_and_each_asks_no_less_than_the_one_below() -> None:
    assert list(TERMS) == list(Tier)
    assert TERMS[Tier.CRITICAL].days < TERMS[Tier.STANDARD].days
    assert TERMS[Tier.LOW].days == 0


@pytest.mark.parametrize("days", [0, 59, 5000])
def test_a_low_environment_asks_for_nothing(days: int) -> None:
    assert broken(a_key(days), Tier.LOW, None) == []


@pytest.mark.requirement(9)
@pytest.mark.parametrize(("tier", "days"), [(Tier.STANDARD, 60), (Tier.CRITICAL, 30)])
def test_a_secret_works_for_the_days_of_its_tier(tier: Tier, days: int) -> None:
    assert broken(a_key(days - 1, 1), tier) == []
    assert broken(a_key(days, 1), tier) == [Demand.ROTATION]


@pytest.mark.requirement(9)
@pytest.mark.parametrize(("days", "wanted"), [(0, [Demand.END]), (1, []), (30, []), (31, [Demand.END])])
def test_a_critical_key_ends_in_time(days: int, wanted: list[Demand]) -> None:
    assert broken(a_key(0, days), Tier.CRITICAL) == wanted
    assert broken(a_key(0, days), Tier.STANDARD) == []


@pytest.mark.requirement(9)
def test_a_critical_service_names_somebody_on_call() -> None:
    for service, fix in ((replace(CHAT, on_call=""), "service update chat"), (None, "service add chat --project")):
        (breach,) = breaches(Case(key=a_key(0, 30), tier=Tier.CRITICAL, service=service, now_ns=NOW))
        assert (breach.demand, fix in breach.fix) == (Demand.ON_CALL, True)
