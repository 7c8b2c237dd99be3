import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.unit.control.desk import open_desk

from clavero.control import keys, members
from clavero.control.commit import Desk, perform
from clavero.control.keys import DAY_NS, Issued, KeyEdit, NewKey
from clavero.control.members import NewMember
from clavero.domain import tokens
from clavero.domain.access import SYSTEM, Actor, Role
from clavero.domain.audit import AuditRow
from clavero.domain.errors import KeyRevoked, KeyRotated
from clavero.domain.keys import KeyState, Kid, standing, version_for
from clavero.domain.members import Member
from clavero.domain.names import NameRule
from clavero.domain.organisation import Environment, Project, Service, Team
from clavero.domain.refusals import AlreadyExists, Forbidden, InvalidValue, NotFound, StateForbids
from clavero.domain.secret import Secret
from clavero.testing.clock import StoppedClock

NAME = "prod-support-chat-01"
ASHA = Actor(id="asha", kind="user")


@pytest.fixture
def clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
async def desk(tmp_path: Path, clock: StoppedClock) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path, clock) as opened:
        yield opened


async def made(desk: Desk, name: str = NAME, **more: object) -> Issued:
    return await perform(desk, ASHA, keys.create, wanted=NewKey(name=name, owner="asha", **more))  # type: ignore[arg-type] # facts of a test


def version_of(desk: Desk, issued: Issued, secret: Secret) -> int:
    found = version_for(issued.key, lambda one: desk.fingerprints.same(secret.reveal(), one.pepper, one.digest))
    return found.number if found else 0


def everything_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


# --- making


@pytest.mark.requirement(12)
async def test_a_secret_is_shown_once_and_only_its_digest_is_kept(desk: Desk, tmp_path: Path) -> None:
    issued = await made(desk)
    token = issued.secret.reveal()
    shape = tokens.read(token)
    assert shape is not None
    assert (shape.kind, shape.env, shape.kid) == ("k", "prod", issued.key.id)
    assert version_of(desk, issued, issued.secret) == 1
    assert issued.key.versions[0].last_four == token[-4:]
    await desk.store.close()
    kept = everything_in(tmp_path)
    assert issued.key.id.encode() in kept
    assert token[len("clvk_prod_") + 13 :][:43].encode() not in kept


async def test_service_environment_and_purpose_come_from_the_name(desk: Desk) -> None:
    key = (await made(desk)).key
    assert (key.environment, key.service, key.purpose) == ("prod", "support", "chat")
    assert key.state is KeyState.ACTIVE
    async with desk.store.read() as look:
        assert await look.get(Environment, "prod") is not None
        assert await look.get(Team, "default") is not None
        assert await look.get(Project, "default") is not None
        service = await look.get(Service, "support")
    assert service is not None
    assert (service.project, service.team) == ("default", "default")


async def test_what_is_given_comes_before_what_the_name_says(desk: Desk) -> None:
    key = (await made(desk, service="support-chat", purpose="answers customers", team="care", project="shop")).key
    assert (key.service, key.purpose) == ("support-chat", "answers customers")
    other = (await made(desk, "prod-support-chat-02")).key
    assert other.service == "support-chat"  # a known service of two words is not split
    async with desk.store.read() as look:
        service = await look.get(Service, "support-chat")
    assert service is not None
    assert (service.team, service.project) == ("care", "shop")


async def test_scopes_and_bounds_are_kept(desk: Desk, clock: StoppedClock) -> None:
    expires = clock.wall_ns() + DAY_NS
    key = (
        await made(
            desk, models=("gpt-4o-mini", "claude-*"), endpoints=("chat",), features=("summary",), expires_ns=expires,
            default_output_tokens=512,
        )
    ).key  # fmt: skip
    shown = await keys.show_key(desk, NAME)
    assert shown == key
    assert (shown.models, shown.endpoints, shown.features) == (("gpt-4o-mini", "claude-*"), ("chat",), ("summary",))
    assert (shown.expires_ns, shown.default_output_tokens) == (expires, 512)


async def test_a_key_may_begin_later(desk: Desk, clock: StoppedClock) -> None:
    issued = await made(desk, starts_ns=clock.wall_ns() + 60 * 10**9)
    assert issued.key.state is KeyState.PENDING
    clock.advance(60)
    assert (await keys.show_key(desk, NAME)).state is KeyState.ACTIVE


@pytest.mark.requirement(4)
async def test_a_refused_name_comes_with_the_rule_and_a_free_name(desk: Desk) -> None:
    await made(desk, "dev-test-01")
    with pytest.raises(InvalidValue) as caught:
        await made(desk, "test123")
    assert caught.value.suggestion == "dev-test-02"
    assert "<env>-<service>" in caught.value.message


async def test_the_naming_rule_is_the_operators(desk: Desk) -> None:
    rule = NameRule(r"(?P<service>[a-z]+)\.(?P<env>[a-z]+)", "<service>.<env>")
    ruled = replace(desk, names=rule)
    issued = await made(ruled, "mail.prod")
    assert (issued.key.service, issued.key.environment) == ("mail", "prod")
    with pytest.raises(InvalidValue, match="<service>"):
        await made(ruled)


@pytest.mark.parametrize(
    ("field", "more"),
    [
        ("owner", {"owner": " "}),
        ("owner", {"owner": "a\nb"}),
        ("environment", {"environment": "staging"}),
        ("service", {"service": "Support Chat"}),
        ("team", {"team": "a/b"}),
        ("models", {"models": ("*-mini",)}),
        ("endpoints", {"endpoints": ("chats",)}),
        ("features", {"features": ("A B",)}),
        ("expires", {"expires_ns": 5}),
        ("default_output_tokens", {"default_output_tokens": 0}),
        ("purpose", {"purpose": "x" * 201}),
    ],
)
async def test_a_field_that_breaks_its_rule_is_named_and_nothing_is_made(
    desk: Desk, field: str, more: dict[str, object]
) -> None:
    with pytest.raises(InvalidValue) as caught:
        await perform(desk, ASHA, keys.create, wanted=NewKey(**{"name": NAME, "owner": "asha", **more}))  # type: ignore[arg-type] # facts of a test
    assert caught.value.field == field
    assert await keys.list_keys(desk) == []
    async with desk.store.read() as look:
        assert await look.find(Service) == []
        assert await look.find(AuditRow) == []


async def test_a_service_stays_in_its_project_and_team(desk: Desk) -> None:
    await made(desk, team="care", project="shop")
    with pytest.raises(InvalidValue) as caught:
        await made(desk, "prod-support-chat-02", team="sales")
    assert caught.value.suggestion == "care"
    with pytest.raises(InvalidValue):
        await made(desk, "prod-support-chat-02", project="other")
    with pytest.raises(InvalidValue):
        await made(desk, "prod-mail-01", project="shop", team="sales")


async def test_a_public_id_that_is_taken_is_drawn_again(tmp_path: Path) -> None:
    class Stuck:
        """Draws the same public id three times."""

        def __init__(self) -> None:
            self.drawn = 0

        def uniform(self, low: float, high: float) -> float:
            return low

        def token(self, size: int) -> bytes:
            self.drawn += 1
            return b"\7" * size if size == 16 and self.drawn < 5 else os.urandom(size)

    async with open_desk(tmp_path) as opened:
        desk = Desk(opened.store, opened.clock, Stuck(), opened.vault, opened.fingerprints)
        one, two = await made(desk), await made(desk, "prod-mail-01")
        assert one.key.id != two.key.id


async def test_only_who_may_makes_keys(desk: Desk) -> None:
    with pytest.raises(Forbidden):
        await perform(desk, Actor(id="x", role=Role.AUDITOR), keys.create, wanted=NewKey(name=NAME, owner="x"))


async def test_every_operation_leaves_one_audit_row_about_the_key(desk: Desk) -> None:
    issued = await made(desk)
    async with desk.store.write() as writing:
        await writing.put(Member(name="ben"))
    await perform(desk, ASHA, keys.update, name=NAME, edit=KeyEdit(owner="ben"))
    await perform(desk, ASHA, keys.rotate, name=NAME)
    await perform(desk, ASHA, keys.disable, name=NAME)
    await perform(desk, ASHA, keys.enable, name=NAME)
    await perform(desk, ASHA, keys.revoke, name=NAME, reason=f"leaked {issued.secret.reveal()}")
    await perform(desk, ASHA, keys.retire, name=NAME)
    async with desk.store.read() as look:
        rows = await look.find(AuditRow)
    verbs = ["create", "update", "rotate", "disable", "enable", "revoke", "retire"]
    assert [row.action for row in rows] == [f"key.{verb}" for verb in verbs]
    assert {row.object_id for row in rows} == {issued.key.id}
    assert {row.actor for row in rows} == {"asha"}
    assert issued.secret.reveal()[23:40] not in repr(rows)
    assert "leaked" in rows[5].reason


# --- rotating


async def test_old_and_new_overlap_for_the_grace_and_then_only_the_new_one_works(
    desk: Desk, clock: StoppedClock
) -> None:
    old = await made(desk)
    new = await perform(desk, ASHA, keys.rotate, name=NAME, grace_ns=3600 * 10**9)
    assert new.key.id == old.key.id
    assert new.key.state is KeyState.ROTATING
    assert [version_of(desk, new, one.secret) for one in (old, new)] == [1, 2]
    first, second = new.key.versions
    assert standing(new.key, first, clock.wall_ns()) is None
    assert standing(new.key, second, clock.wall_ns()) is None
    clock.advance(3600)
    assert isinstance(standing(new.key, first, clock.wall_ns()), KeyRotated)
    assert standing(new.key, second, clock.wall_ns()) is None
    assert (await keys.show_key(desk, NAME)).state is KeyState.ACTIVE


async def test_no_grace_ends_every_older_version_at_once(desk: Desk, clock: StoppedClock) -> None:
    await made(desk)
    await perform(desk, ASHA, keys.rotate, name=NAME)
    key = (await perform(desk, ASHA, keys.rotate, name=NAME, grace_ns=0)).key
    assert key.state is KeyState.ACTIVE
    assert [standing(key, one, clock.wall_ns()) is None for one in key.versions] == [False, False, True]


async def test_a_second_rotation_never_lengthens_the_first_overlap(desk: Desk, clock: StoppedClock) -> None:
    await made(desk)
    first = (await perform(desk, ASHA, keys.rotate, name=NAME, grace_ns=DAY_NS)).key.versions[0].ends_ns
    key = (await perform(desk, ASHA, keys.rotate, name=NAME, grace_ns=2 * DAY_NS)).key
    assert [one.ends_ns for one in key.versions] == [first, clock.wall_ns() + 2 * DAY_NS, 0]
    shorter = (await perform(desk, ASHA, keys.rotate, name=NAME, grace_ns=1)).key
    assert [one.ends_ns for one in shorter.versions] == [clock.wall_ns() + 1] * 3 + [0]


async def test_rotation_keeps_name_scope_and_history(desk: Desk) -> None:
    before = (await made(desk, models=("gpt-4o",), features=("summary",))).key
    after = (await perform(desk, ASHA, keys.rotate, name=NAME)).key
    assert (after.id, after.name, after.models, after.features) == (
        before.id,
        before.name,
        before.models,
        before.features,
    )
    assert [one.number for one in after.versions] == [1, 2]
    assert after.versions[0].digest == before.versions[0].digest


@pytest.mark.parametrize("grace_ns", [-1, 90 * DAY_NS + 1])
async def test_a_grace_has_its_bounds(desk: Desk, grace_ns: int) -> None:
    await made(desk)
    with pytest.raises(InvalidValue, match="grace"):
        await perform(desk, ASHA, keys.rotate, name=NAME, grace_ns=grace_ns)


# --- pausing and ending


async def test_a_disabled_key_comes_back_as_it_was(desk: Desk) -> None:
    await made(desk)
    await perform(desk, ASHA, keys.rotate, name=NAME)
    disabled = await perform(desk, ASHA, keys.disable, name=NAME, reason="odd traffic")
    assert (disabled.state, disabled.reason) == (KeyState.DISABLED, "odd traffic")
    enabled = await perform(desk, ASHA, keys.enable, name=NAME)
    assert (enabled.state, enabled.reason) == (KeyState.ROTATING, "")


async def test_what_does_not_follow_is_refused_with_a_next_step(desk: Desk) -> None:
    await made(desk)
    for work in (keys.enable, keys.retire):
        with pytest.raises(StateForbids) as caught:
            await perform(desk, ASHA, work, name=NAME)
        assert caught.value.fix
    await perform(desk, ASHA, keys.disable, name=NAME)
    for again in (keys.disable, keys.rotate):
        with pytest.raises(StateForbids, match="disabled") as caught:
            await perform(desk, ASHA, again, name=NAME)
        assert caught.value.fix == f"clavero key enable {NAME}"


@pytest.mark.requirement(73)
async def test_revoked_is_for_ever(desk: Desk, clock: StoppedClock) -> None:
    issued = await made(desk)
    key = await perform(desk, ASHA, keys.revoke, name=NAME, reason="leak")
    assert isinstance(standing(key, key.versions[0], clock.wall_ns()), KeyRevoked)
    for work in (keys.enable, keys.disable, keys.rotate, keys.revoke):
        with pytest.raises(StateForbids, match="revoked") as caught:
            await perform(desk, ASHA, work, name=NAME)
        assert "final" in caught.value.fix
    with pytest.raises(StateForbids):
        await perform(desk, ASHA, keys.update, name=NAME, edit=KeyEdit(owner="ben"))
    retired = await perform(desk, ASHA, keys.retire, name=NAME)
    assert (retired.state, retired.reason) == (KeyState.RETIRED, "leak")
    with pytest.raises(StateForbids, match="retired"):
        await perform(desk, ASHA, keys.enable, name=issued.key.id)


async def test_the_name_of_a_revoked_key_is_never_given_again(desk: Desk) -> None:
    await made(desk)
    await perform(desk, ASHA, keys.revoke, name=NAME)
    with pytest.raises(AlreadyExists) as caught:
        await made(desk)
    assert caught.value.suggestion == "prod-support-chat-02"


async def test_a_leaked_key_can_be_revoked_whatever_the_reason_says(desk: Desk) -> None:
    issued = await made(desk)
    key = await perform(desk, ASHA, keys.revoke, name=NAME, reason=f"found\n{issued.secret.reveal()} {'x' * 900}")
    assert issued.secret.reveal()[23:40] not in key.reason
    assert key.reason.startswith("found clvk_")
    assert len(key.reason) <= 200


# --- changing


async def test_a_scope_grows_and_shrinks(desk: Desk) -> None:
    await made(desk, models=("gpt-4o",), endpoints=("chat",))
    edit = KeyEdit(add_models=("gpt-x",), remove_models=("gpt-4o",), add_endpoints=("embeddings",), add_features=("a",))
    key = await perform(desk, ASHA, keys.update, name=NAME, edit=edit)
    assert (key.models, key.endpoints, key.features) == (("gpt-x",), ("chat", "embeddings"), ("a",))
    key = await perform(desk, ASHA, keys.update, name=NAME, edit=KeyEdit(models=(), remove_features=("a",)))
    assert (key.models, key.features) == ((), ())


@pytest.mark.parametrize(
    ("field", "edit"),
    [
        ("models", KeyEdit(remove_models=("gpt-4o",))),
        ("endpoints", KeyEdit(add_endpoints=("chat",))),
        ("remove_models", KeyEdit(remove_models=("gpt-x",))),
        ("add_models", KeyEdit(add_models=("a b",))),
        ("owner", KeyEdit(owner="")),
        ("expires", KeyEdit(expires_ns=1)),
        ("default_output_tokens", KeyEdit(default_output_tokens=-1)),
    ],
)
async def test_a_change_never_widens_a_scope_by_the_way(desk: Desk, field: str, edit: KeyEdit) -> None:
    """An empty scope means everything: removing the last model would open the key to all of them."""
    before = (await made(desk, models=("gpt-4o",))).key
    with pytest.raises(InvalidValue) as caught:
        await perform(desk, ASHA, keys.update, name=NAME, edit=edit)
    assert caught.value.field == field
    assert await keys.show_key(desk, NAME) == before


async def test_owner_purpose_and_end_can_be_changed(desk: Desk, clock: StoppedClock) -> None:
    await made(desk, expires_ns=clock.wall_ns() + DAY_NS)
    await perform(desk, ASHA, members.add_member, wanted=NewMember(name="ben"))
    edit = KeyEdit(owner="ben", purpose="", expires_ns=0, default_output_tokens=100)
    key = await perform(desk, ASHA, keys.update, name=NAME, edit=edit)
    assert (key.owner, key.purpose, key.expires_ns, key.default_output_tokens) == ("ben", "", 0, 100)


# --- looking


async def test_a_key_is_found_by_name_or_public_id(desk: Desk) -> None:
    issued = await made(desk)
    assert await keys.show_key(desk, issued.key.id) == await keys.show_key(desk, NAME) == issued.key


@pytest.mark.parametrize("work", [keys.disable, keys.enable, keys.revoke, keys.rotate, keys.retire])
async def test_an_unknown_key_comes_with_the_nearest_name(desk: Desk, work: object) -> None:
    await made(desk)
    with pytest.raises(NotFound) as caught:
        await perform(desk, SYSTEM, work, name="prod-suport-chat-01")  # type: ignore[arg-type] # any of the five
    assert caught.value.suggestion == NAME
    with pytest.raises(NotFound):
        await keys.show_key(desk, Kid("nobody"))


async def test_keys_are_listed_by_name_with_their_state_as_of_now(desk: Desk, clock: StoppedClock) -> None:
    await made(desk, "prod-mail-02")
    await made(desk, "prod-mail-01")
    await made(desk, "dev-mail-01")
    await perform(desk, ASHA, keys.rotate, name="prod-mail-01", grace_ns=60 * 10**9)
    assert [key.name for key in await keys.list_keys(desk)] == ["dev-mail-01", "prod-mail-01", "prod-mail-02"]
    assert [key.name for key in await keys.list_keys(desk, environment="dev")] == ["dev-mail-01"]
    assert [key.name for key in await keys.list_keys(desk, state=KeyState.ROTATING)] == ["prod-mail-01"]
    clock.advance(60)
    assert await keys.list_keys(desk, state=KeyState.ROTATING) == []
