"""What is signed, when nothing is, and what that proves of the trail."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.unit.control.desk import open_desk
from tests.unit.control.trail import change, put_back, spoil

from clavero.adapters.witness.file import FileWitness
from clavero.control import checkpoints
from clavero.control.checkpoints import Notary, Proof, Trouble, prove
from clavero.control.commit import Desk
from clavero.domain.checkpoints import Checkpoint, Finding, Flaw


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


@pytest.fixture
def witness(tmp_path: Path) -> FileWitness:
    return FileWitness(tmp_path / "elsewhere" / "checkpoints.jsonl")


class Away:
    """A witness that cannot be reached for a while."""

    def __init__(self) -> None:
        self.name = "away"
        self.here = False
        self.kept: list[Checkpoint] = []

    def keep(self, checkpoint: Checkpoint) -> None:
        if not self.here:
            raise OSError(5, "input/output error")
        self.kept.append(checkpoint)

    def all(self) -> Iterator[Checkpoint]:
        return iter(self.kept)

    def newest(self) -> Checkpoint | None:
        return self.kept[-1] if self.kept else None


class Unread(Away):
    """One that cannot even be read meanwhile."""

    def newest(self) -> Checkpoint | None:
        if not self.here:
            raise OSError(113, "no route to host")
        return super().newest()


async def opened(desk: Desk, *witnesses: checkpoints.Witness, told: list[Trouble] | None = None) -> Notary:
    notary = Notary(desk, witnesses, (told if told is not None else []).append)
    await notary.open()
    return notary


async def test_what_is_new_is_signed_once(desk: Desk, witness: FileWitness) -> None:
    notary = await opened(desk, witness)
    await change(desk, "a", "b")
    first = await notary.sign()
    assert first is not None
    assert (first.seq, len(first.hashes)) == (3, 3)  # the signing key's own row too
    assert await notary.sign() is None
    await change(desk, "c")
    second = await notary.sign()
    assert second is not None
    assert (second.first, second.seq) == (4, 4)
    assert list(witness.all()) == [first, second]
    assert await prove(desk, [witness]) == Proof(4, 4)


async def test_a_notary_that_starts_again_goes_on_where_it_was(desk: Desk, witness: FileWitness) -> None:
    await change(desk, "a")
    await (await opened(desk, witness)).sign()
    await change(desk, "b")
    made = await (await opened(desk, witness)).sign()
    assert made is not None
    assert made.first == 3
    assert (await prove(desk, [witness])).finding is None


async def test_a_trail_that_is_not_what_was_signed_is_never_signed_again(desk: Desk, witness: FileWitness) -> None:
    told: list[Trouble] = []
    notary = await opened(desk, witness, told=told)
    await change(desk, "a", "b")
    await notary.sign()
    await spoil(desk, "DELETE FROM audit WHERE seq = 3")
    assert await notary.sign() is None
    await change(desk, "c")
    assert await notary.sign() is None
    assert [(one.what, one.detail) for one in told] == [
        ("audit_broken", "row 3: cut"), ("audit_broken", "row 3: rewritten"),
    ]  # fmt: skip
    assert len(list(witness.all())) == 1
    assert (await prove(desk, [witness])).finding == Finding(3, Flaw.REWRITTEN)


async def test_a_broken_chain_is_not_signed(desk: Desk, witness: FileWitness) -> None:
    told: list[Trouble] = []
    notary = await opened(desk, witness, told=told)
    await change(desk, "a", "b")
    await spoil(desk, "UPDATE audit SET actor = 'eve' WHERE seq = 2")
    assert await notary.sign() is None
    assert await notary.sign() is None
    assert told == [Trouble("audit_broken", "row 2: row")]  # said once


async def test_a_witness_that_was_away_gets_what_it_lacks(desk: Desk, witness: FileWitness) -> None:
    told: list[Trouble] = []
    away = Away()
    notary = await opened(desk, witness, away, told=told)
    await change(desk, "a")
    await notary.sign()
    assert [one.what for one in told] == ["witness_failed"]
    assert "input/output error" in told[0].detail
    away.here = True
    await change(desk, "b")
    await notary.sign()
    assert away.kept == list(witness.all())
    assert len(away.kept) == 2


async def test_a_witness_that_is_away_keeps_no_other_waiting(desk: Desk, witness: FileWitness) -> None:
    notary = await opened(desk, Away(), witness)
    await change(desk, "a")
    await notary.sign()
    assert len(list(witness.all())) == 1


async def test_what_cannot_be_read_at_the_start_is_asked_again(desk: Desk, witness: FileWitness) -> None:
    """A store behind a network may come later than clavero; until then nothing is signed."""
    told: list[Trouble] = []
    unread = Unread()
    notary = await opened(desk, witness, unread, told=told)
    await change(desk, "a")
    assert await notary.sign() is None
    assert [one.what for one in told] == ["witness_failed"]
    unread.here = True
    assert await notary.sign() is not None
    assert unread.kept == list(witness.all())


async def test_a_new_witness_is_given_all_that_was_signed_before(
    desk: Desk, witness: FileWitness, tmp_path: Path
) -> None:
    await change(desk, "a")
    await (await opened(desk, witness)).sign()
    other = FileWitness(tmp_path / "other.jsonl")
    await (await opened(desk, witness, other)).sign()
    assert list(other.all()) == list(witness.all())


async def test_a_witness_that_was_tampered_with_is_named_and_the_others_still_count(
    desk: Desk, witness: FileWitness, tmp_path: Path
) -> None:
    other = FileWitness(tmp_path / "other.jsonl")
    notary = await opened(desk, witness, other)
    for name in ("a", "b"):
        await change(desk, name)
        await notary.sign()
    (tmp_path / "other.jsonl").write_bytes((tmp_path / "other.jsonl").read_bytes().split(b"\n")[1] + b"\n")
    proof = await prove(desk, [other, witness])
    assert proof.finding is not None
    assert proof.finding.flaw is Flaw.WITNESS
    assert proof.witness == str(tmp_path / "other.jsonl")
    await spoil(desk, "DELETE FROM audit WHERE seq = 3")
    assert (await prove(desk, [other, witness])).finding == Finding(3, Flaw.CUT)


async def test_a_long_trail_is_signed_in_pieces(
    desk: Desk, witness: FileWitness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checkpoints, "MOST_ROWS", 2)  # a thousand rows would make a slow test
    monkeypatch.setattr(checkpoints, "_PAGE", 2)
    notary = await opened(desk, witness)
    await change(desk, "a", "b", "c", "d")
    while await notary.sign():
        pass
    assert [one.seq for one in witness.all()] == [2, 4, 5]
    assert await prove(desk, [witness]) == Proof(5, 5)


async def test_a_restore_that_the_trail_tells_of_is_no_flaw(desk: Desk, witness: FileWitness) -> None:
    """What stood behind the backup is gone, the trail says so, and the new epoch is signed from its beginning."""
    notary = await opened(desk, witness)
    await change(desk, "a", "b")
    await notary.sign()
    await spoil(desk, "DELETE FROM audit WHERE seq = 3", "UPDATE meta SET value = '2' WHERE name = 'epoch'")

    await put_back(desk, "b.clavero; epoch 2; 0 frames")
    proof = await prove(desk, [witness])
    assert (proof.finding, proof.restored) == (None, (3,))
    made = await (await opened(desk, witness)).sign()
    assert made is not None
    assert (made.epoch, made.first, made.seq) == (2, 1, 3)
    assert (await prove(desk, [witness])).finding is None


async def test_without_a_word_of_it_a_restore_is_a_flaw(desk: Desk, witness: FileWitness) -> None:
    notary = await opened(desk, witness)
    await change(desk, "a", "b")
    await notary.sign()
    await spoil(desk, "DELETE FROM audit WHERE seq = 3", "UPDATE meta SET value = '2' WHERE name = 'epoch'")
    await change(desk, "c")
    assert (await prove(desk, [witness])).finding == Finding(3, Flaw.REWRITTEN)
    await (await opened(desk, witness)).sign()
    assert (await prove(desk, [witness])).finding == Finding(3, Flaw.REWRITTEN)
