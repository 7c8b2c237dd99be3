from msgspec.structs import replace

from clavero.domain.access import AdminToken
from clavero.domain.credentials import Credential, CredentialState, Model
from clavero.domain.keys import Key, KeyState, KeyVersion, Kid
from clavero.domain.tombstones import Tombstone, kind_of, laid, tombstones

KEY = Key(
    id=Kid("k1"), name="prod-mail-01", owner="asha", service="mail", environment="prod",
    versions=(KeyVersion(1, b"d", 1, "abcd", 1),),
)  # fmt: skip
TOKEN = AdminToken(id="t1", digest=b"d", pepper=1)
CREDENTIAL = Credential(id="c1", provider="p", version=1, origin="https://x", sealed=b"s", last_four="abcd")


def test_what_is_ended_for_ever_has_a_tombstone_and_nothing_else_has() -> None:
    revoked = replace(KEY, state=KeyState.REVOKED, reason="leaked")
    changes = [
        (KEY, revoked), (TOKEN, replace(TOKEN, ended_ns=7)),
        (CREDENTIAL, replace(CREDENTIAL, state=CredentialState.RETIRED)),
        (None, KEY), (KEY, replace(KEY, state=KeyState.DISABLED)), (None, Model(name="m", provider="p", served="s")),
        (KEY, None), (revoked, replace(revoked, state=KeyState.RETIRED)),
    ]  # fmt: skip
    assert tombstones(changes, 5) == [
        Tombstone(kind="key", id="k1", at_ns=5, reason="leaked"),
        Tombstone(kind="token", id="t1", at_ns=5),
        Tombstone(kind="credential", id="c1", at_ns=5),
    ]


def test_a_rotated_version_has_one_with_its_end_and_a_changed_end_another() -> None:
    def at(ends_ns: int) -> Key:
        return replace(KEY, versions=(replace(KEY.versions[0], ends_ns=ends_ns),))

    assert tombstones([(KEY, at(90)), (at(90), at(90)), (at(90), at(40))], 5) == [
        Tombstone(kind="version", id="k1", at_ns=5, version=1, ends_ns=90),
        Tombstone(kind="version", id="k1", at_ns=5, version=1, ends_ns=40),
    ]


def test_laying_one_ends_what_an_old_copy_has_alive_and_leaves_what_has_ended() -> None:
    for stone, thing in (
        (Tombstone(kind="key", id="k1", at_ns=5, reason="leaked"), KEY),
        (Tombstone(kind="version", id="k1", at_ns=5, version=1, ends_ns=90), KEY),
        (Tombstone(kind="token", id="t1", at_ns=5), TOKEN),
        (Tombstone(kind="credential", id="c1", at_ns=5), CREDENTIAL),
    ):
        kind = kind_of(stone)
        assert kind is type(thing)
        ended = laid(thing, stone)
        assert ended is not None
        assert tombstones([(thing, ended)], 5) == [stone]
        assert laid(ended, stone) is None


def test_an_end_never_comes_later_than_it_already_does() -> None:
    sooner = replace(KEY, versions=(replace(KEY.versions[0], ends_ns=40),))
    assert laid(sooner, Tombstone(kind="version", id="k1", at_ns=5, version=1, ends_ns=90)) is None


def test_a_kind_that_a_later_clavero_wrote_is_no_kind() -> None:
    assert kind_of(Tombstone(kind="planet", id="x", at_ns=1)) is None
    assert laid(TOKEN, Tombstone(kind="key", id="t1", at_ns=1)) is None
