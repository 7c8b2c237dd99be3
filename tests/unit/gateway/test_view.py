import pytest
from msgspec.structs import replace
from tests.unit.gateway.world import CLAUDE, PRICES, SERVICE, SIM, credential, new_key, view_of

from clavero.domain.budgets import Budget, BudgetState, Policy, Subject, Window, budget_id
from clavero.domain.credentials import Credential, CredentialState, Model, Provider
from clavero.domain.errors import ModelNotFound
from clavero.domain.keys import Key, KeyState
from clavero.domain.organisation import Service
from clavero.domain.pricing import Price
from clavero.domain.secret import Secret
from clavero.gateway.view import View, identity


def budget(subject: Subject, name: str, **more: object) -> Budget:
    facts = {"window": Window.DAY, "limit_n": 1, "policy": Policy.REJECT, **more}
    return Budget(id=budget_id(subject, name, Window.DAY), subject=subject, name=name, **facts)  # type: ignore[arg-type]


def test_a_key_is_known_with_what_it_works_for_and_every_open_budget_widest_first() -> None:
    key, _ = new_key()
    own = budget(Subject.KEY, key.id)
    team = budget(Subject.TEAM, "apps")
    whole = budget(Subject.ORGANISATION, "default")
    closing = budget(Subject.SERVICE, "app", state=BudgetState.CLOSING)
    other = budget(Subject.TEAM, "others")
    grant = view_of(key, own, team, whole, closing, other).grant(key.id)
    assert grant is not None
    assert (grant.team, grant.project) == ("apps", "copilot")
    assert grant.budgets == (whole, team, own)


def test_grants_are_made_on_first_use_and_anew_after_what_they_follow_from_has_changed() -> None:
    key, _ = new_key()
    view = view_of(key)
    assert view._grants == {}
    first = view.grant(key.id)
    assert view.grant(key.id) is first
    team = budget(Subject.TEAM, "apps")
    view.apply(2, Budget, [team.id], [team])
    assert view.grant(key.id) is not first
    second = view.grant(key.id)
    assert second is not None
    assert second.budgets == (team,)
    view.apply(3, Service, ["app"], [replace(SERVICE, team="others")])
    third = view.grant(key.id)
    assert third is not None
    assert (third.team, third.budgets) == ("others", ())


def test_a_change_of_one_key_leaves_the_others_compiled() -> None:
    (one, _), (two, _) = new_key(), new_key(name="prod-app-chat-02")
    view = view_of(one, two)
    kept = view.grant(two.id)
    view.grant(one.id)
    view.apply(2, Key, [one.id], [replace(one, owner="bela")])
    changed = view.grant(one.id)
    assert changed is not None
    assert changed.key.owner == "bela"
    assert view.grant(two.id) is kept


def test_a_change_of_one_keys_budget_leaves_the_others_compiled() -> None:
    (one, _), (two, _) = new_key(), new_key(name="prod-app-chat-02")
    view = view_of(one, two)
    view.grant(one.id)
    kept = view.grant(two.id)
    own = budget(Subject.KEY, one.id)
    view.apply(2, Budget, [own.id], [own])
    assert budgets_of(view, one) == {own}
    assert view.grant(two.id) is kept


def test_each_change_of_a_budget_leaves_what_a_fresh_look_would_find() -> None:
    key, _ = new_key()
    day, month, other = (
        budget(Subject.TEAM, "apps"),
        replace(budget(Subject.TEAM, "apps"), id=budget_id(Subject.TEAM, "apps", Window.MONTH), window=Window.MONTH),
        budget(Subject.TEAM, "others"),
    )
    view = view_of(key)
    rows: dict[str, Budget] = {}
    closing = replace(day, state=BudgetState.CLOSING)
    for seq, (name, found) in enumerate(
        [
            (day.id, day), (month.id, month), (other.id, other), (day.id, replace(day, limit_n=7)),
            (day.id, closing), (day.id, closing), (month.id, None), (month.id, None), (day.id, day), (day.id, None),
        ],
        start=2,
    ):  # fmt: skip
        view.apply(seq, Budget, [name], [found] if found else [])
        rows.pop(name, None)
        if found:
            rows[name] = found
        assert budgets_of(view, key) == budgets_of(view_of(key, *rows.values()), key), seq
    assert [subject for subject, _ in view._by_subject] == [Subject.TEAM]  # and nothing is kept for what has gone
    assert budgets_of(view, key) == set()


def budgets_of(view: View, key: Key) -> set[Budget]:
    grant = view.grant(key.id)
    assert grant is not None
    assert len(grant.budgets) == len(set(grant.budgets))
    return set(grant.budgets)


def test_an_unknown_key_is_none_and_leaves_no_trace() -> None:
    view = view_of()
    assert view.grant("000000000000") is None
    assert view._grants == {}


@pytest.mark.requirement(73)
@pytest.mark.parametrize("over", [KeyState.REVOKED, KeyState.RETIRED])
@pytest.mark.parametrize("late", [KeyState.ACTIVE, KeyState.DISABLED, KeyState.ROTATING, KeyState.PENDING])
def test_a_tombstone_outlives_every_late_write_and_load(over: KeyState, late: KeyState) -> None:
    key, _ = new_key()
    gone: list[str] = []
    view = view_of(key, gone=gone)
    view.apply(2, Key, [key.id], [replace(key, state=over)])
    assert gone == [key.id]
    view.apply(3, Key, [key.id], [replace(key, state=late)])
    grant = view.grant(key.id)
    assert grant is not None
    assert grant.key.state is over
    view.load(4, {Key: [replace(key, state=late)]})
    assert view.grant(key.id) is None


def test_a_key_that_was_over_when_the_view_was_loaded_is_a_tombstone_too() -> None:
    key, _ = new_key(state=KeyState.REVOKED)
    view = view_of(key)
    view.apply(2, Key, [key.id], [replace(key, state=KeyState.ACTIVE)])
    grant = view.grant(key.id)
    assert grant is not None
    assert grant.key.state is KeyState.REVOKED
    view.apply(3, Key, [key.id], [replace(key, state=KeyState.RETIRED)])
    grant = view.grant(key.id)
    assert grant is not None
    assert grant.key.state is KeyState.RETIRED


@pytest.mark.parametrize("state", [KeyState.DISABLED, KeyState.REVOKED, None])
def test_whoever_watches_hears_of_keys_that_stop_working(state: KeyState | None) -> None:
    key, _ = new_key()
    gone: list[str] = []
    view = view_of(key, gone=gone)
    view.apply(2, Key, [key.id], [replace(key, owner="bela")])
    assert gone == []
    view.apply(3, Key, [key.id], [] if state is None else [replace(key, state=state)])
    assert gone == [key.id]


def test_a_disabled_key_may_come_back() -> None:
    key, _ = new_key(state=KeyState.DISABLED)
    view = view_of(key)
    view.apply(2, Key, [key.id], [replace(key, state=KeyState.ACTIVE)])
    grant = view.grant(key.id)
    assert grant is not None
    assert grant.key.state is KeyState.ACTIVE


def test_a_number_never_goes_back() -> None:
    view = view_of()
    view.apply(9, Service, ["app"], [SERVICE])
    view.apply(5, Service, ["app"], [SERVICE])
    assert view.seq == 9


def test_plans_are_remembered_within_bounds_and_forgotten_when_what_they_rest_on_changes() -> None:
    view = view_of()
    first = view.targets("gpt-4o-mini")
    assert view.targets("gpt-4o-mini") is first
    for number in range(5000):
        view.targets(f"gpt-{number}")
    assert len(view._plans) <= 4096
    view.apply(2, Price, ["sim/gpt-4o-mini"], [Price(id="sim/gpt-4o-mini", version="own", input=1)])
    (target,) = view.targets("gpt-4o-mini")
    assert target.price is not None
    assert target.price.version == "own"
    view.apply(3, Provider, ["sim"], [replace(SIM, enabled=False)])
    with pytest.raises(ModelNotFound):
        view.targets("gpt-4o-mini")


def test_names_that_lead_nowhere_are_not_remembered() -> None:
    view = view_of()
    for number in range(100):
        with pytest.raises(ModelNotFound):
            view.targets(f"nothing-{number}")
    assert view._plans == {}


def test_the_newest_active_credential_counts_and_one_that_cannot_be_opened_is_none() -> None:
    view = view_of(credential("sim", 1), credential("sim", 2), credential("sim", 3, state=CredentialState.RETIRED))
    secret = view.secret("sim")
    assert secret is not None
    assert secret.reveal() == "upstream-sim-2"
    view.apply(2, Credential, ["sim-2"], [])
    secret = view.secret("sim")
    assert secret is not None
    assert secret.reveal() == "upstream-sim-1"
    closed = View(lambda _: None)
    closed.load(1, {Credential: [credential("sim")]})
    assert closed.secret("sim") is None


def test_credentials_are_opened_when_they_change_and_not_on_the_way_of_a_request() -> None:
    opened: list[str] = []

    def open_it(one: Credential) -> Secret:
        opened.append(one.id)
        return Secret("upstream-x")

    view = View(open_it)
    view.load(1, {Credential: [credential("sim")], Provider: [SIM]})
    assert opened == ["sim-1"]
    view.secret("sim")
    view.apply(2, Provider, ["sim"], [SIM])
    assert opened == ["sim-1"]


def test_the_names_that_may_be_asked_for_are_declared_named_or_priced_under_a_pattern() -> None:
    model = Model(name="house", provider="sim", served="gpt-4o-mini")
    named = replace(CLAUDE, models=("haiku-*", "opus-9"))
    view = view_of(model, SIM, named, *PRICES)
    assert view.names() == ["gpt-4o-mini", "haiku-1", "house", "opus-9"]


def test_things_are_called_by_their_id_or_else_their_name() -> None:
    key, _ = new_key()
    assert identity(key) == key.id
    assert identity(SIM) == "sim"
    assert list(view_of(key).things(Key)) == [key]


def test_a_credential_that_did_not_change_is_opened_once() -> None:
    asked: list[str] = []

    def open_(one: Credential) -> Secret:
        asked.append(one.id + one.sealed.decode())
        return Secret("x" * 20)

    def held(name: str, sealed: bytes) -> Credential:
        return Credential(id=name, provider=name, version=1, origin="o", sealed=sealed, last_four="")

    view = View(open_)
    view.load(1, {Credential: [held("a", b"1"), held("b", b"1")]})
    view.apply(2, Credential, ["a"], [held("a", b"2")])
    assert asked == ["a1", "b1", "a2"]
    assert view.secret("b") == Secret("x" * 20)
