"""Reading real segment files, whole and hurt."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from clavero.adapters.storage import journal as journal_module
from clavero.adapters.storage.journal import SegmentJournal
from clavero.adapters.storage.segments import Segments, place
from clavero.domain.ledger import BootId, Position
from clavero.domain.usage import Exchange
from clavero.testing.journals import PlainJournal
from clavero.wire.journal import Frame, Header, Record, Seal, Unreadable, encode_block, encode_header

A = BootId("a" * 32)
START = Position(0, 0)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def journal(root: Path) -> Iterator[PlainJournal]:
    written = PlainJournal(root, A)
    yield written
    written.die()


def frame(number: int, size: int = 0) -> Frame:
    return Record(Exchange(f"req_{number}", number, peer="x" * size))


def read_all(root: Path, at: Position = START, most: int = 100) -> tuple[list[Frame | Unreadable], Position, str]:
    """Every frame to the end, where it is, and the damage there."""
    frames: list[Frame | Unreadable] = []
    for _ in range(1000):
        stretch = Segments(root).read(A, at, most)
        frames += stretch.frames
        at = stretch.to
        if stretch.ended:
            return frames, at, stretch.damage
    raise AssertionError("no end")


def test_frames_come_in_order_across_segments(root: Path, journal: PlainJournal) -> None:
    for number in range(30):
        journal.tick(frame(2 * number), frame(2 * number + 1))
        if number % 10 == 9:
            journal.next_segment()
    for most in (1, 7, 1000):
        frames, at, damage = read_all(root, most=most)
        assert frames == [frame(number) for number in range(60)]
        assert (at.seg, damage) == (3, "")


def test_what_is_written_later_is_read_from_where_reading_stopped(root: Path, journal: PlainJournal) -> None:
    journal.tick(frame(1))
    _, at, _ = read_all(root)
    journal.tick(frame(2))
    journal.next_segment()
    journal.tick(frame(3))
    assert read_all(root, at)[0] == [frame(2), frame(3)]


def test_sizes_add_up_to_what_was_written(root: Path, journal: PlainJournal) -> None:
    journal.tick(frame(1))
    journal.next_segment()
    journal.tick(frame(2), frame(3))
    total, at = 0, Position(0, 0)
    while not (stretch := Segments(root).read(A, at, 1)).ended:
        total, at = total + stretch.size, stretch.to
    assert total == journal.written


def test_a_block_larger_than_a_read_is_read(root: Path, journal: PlainJournal) -> None:
    large = frame(2, size=3_000_000)
    journal.tick(frame(1))
    journal.tick(large)
    journal.tick(frame(3))
    assert read_all(root)[0] == [frame(1), large, frame(3)]


def test_a_torn_tail_is_the_end_and_no_damage(root: Path, journal: PlainJournal) -> None:
    journal.tick(frame(1))
    block = encode_block([frame(2)])
    for cut in (1, 7, 8, len(block) - 1):
        torn = PlainJournal(root, BootId(f"{cut:032d}"))
        torn.tick(frame(1))
        torn.raw(block[:cut])
        stretch = Segments(root).read(torn.boot, Segments(root).read(torn.boot, Position(0, 0), 9).to, 9)
        assert (stretch.ended, stretch.damage) == (True, "")
        torn.die()


def test_preallocated_segments_are_not_begun(root: Path, journal: PlainJournal) -> None:
    journal.tick(frame(1))
    journal.raw(bytes(5000))
    (journal.directory / "1.seg").write_bytes(bytes(5000))
    assert read_all(root) == ([frame(1)], Position(0, journal._good), "")


def test_a_hole_in_the_middle_is_damage_and_nothing_behind_it_is_read(root: Path, journal: PlainJournal) -> None:
    journal.tick(frame(1))
    place_of_second = journal._good
    journal.tick(frame(2))
    journal.tick(frame(3))
    journal.next_segment()
    journal.tick(frame(4))
    data = bytearray((journal.directory / "0.seg").read_bytes())
    data[place_of_second + 20] ^= 1
    (journal.directory / "0.seg").write_bytes(data)
    frames, at, damage = read_all(root)
    assert (frames, at) == ([frame(1)], Position(0, place_of_second))
    assert "its writer says" in damage


def test_a_segment_cut_short_is_damage_once_the_next_one_says_so(root: Path, journal: PlainJournal) -> None:
    journal.tick(frame(1))
    kept = journal._good
    journal.tick(frame(2))
    journal.next_segment()
    with (journal.directory / "0.seg").open("ab") as file:
        file.truncate(kept)
    assert "its writer says" in read_all(root)[2]


@pytest.mark.parametrize("gone", [0, 1])
def test_a_segment_that_is_gone_is_damage(root: Path, journal: PlainJournal, gone: int) -> None:
    for number in range(3):
        journal.tick(frame(number))
        journal.next_segment()
    (journal.directory / f"{gone}.seg").unlink()
    frames, _, damage = read_all(root)
    assert frames == [frame(number) for number in range(gone)]
    assert str(gone) in damage


def test_the_segment_being_read_is_gone(root: Path, journal: PlainJournal) -> None:
    journal.tick(frame(1))
    at = read_all(root)[1]
    journal.path.unlink()
    assert read_all(root, at)[2] == "segment 0 is gone"


def test_a_segment_read_to_its_end_and_removed_is_no_damage(root: Path, journal: PlainJournal) -> None:
    journal.tick(frame(1))
    at = read_all(root)[1]
    journal.next_segment()
    journal.tick(frame(2))
    (journal.directory / "0.seg").unlink()
    assert read_all(root, at) == ([frame(2)], Position(1, journal._good), "")


def test_a_journal_without_its_directory_is_gone(root: Path) -> None:
    assert read_all(root)[2] == "the journal is gone"


def test_a_boot_that_has_written_nothing_yet_has_an_end(root: Path) -> None:
    (root / A).mkdir(parents=True)
    assert read_all(root)[2] == "segment 0 is gone", "it is made before its boot registers"
    (root / A / "0.seg").write_bytes(bytes(5000))
    assert read_all(root) == ([], Position(0, 0), "")


def test_a_segment_of_somebody_else_is_damage(root: Path, journal: PlainJournal) -> None:
    header = encode_header(Header("b" * 32, "w", 1, 0, 0))
    (journal.directory / "0.seg").write_bytes(header + encode_block([frame(1)]))
    frames, _, damage = read_all(root)
    assert frames == []
    assert "somebody else" in damage


def test_a_writer_may_count_from_one(root: Path) -> None:
    journal = PlainJournal(root, A, first=1)
    journal.tick(frame(1))
    journal.die()
    assert read_all(root) == ([frame(1)], Position(1, journal._good), "")


# --- proof of death


def test_a_living_boot_holds_its_lock_and_a_dead_one_does_not(root: Path, journal: PlainJournal) -> None:
    segments = Segments(root)
    with segments.proof_of_death(A) as dead:
        assert not dead
    journal.die()
    with segments.proof_of_death(A) as dead, Segments(root).proof_of_death(A) as second:
        assert dead
        assert not second, "the lock is kept while it is proof"
    with segments.proof_of_death(A) as dead:
        assert dead


def test_no_lock_file_is_no_proof(root: Path) -> None:
    with Segments(root).proof_of_death(A) as dead:
        assert not dead


# --- which directory, and what stays


def test_a_directory_is_named_once_and_for_all(root: Path, tmp_path: Path) -> None:
    first = place(root)
    assert place(root, durable=True).home == first.home
    assert place(tmp_path / "other").home != first.home
    assert place(tmp_path / "other").kernel_boot == first.kernel_boot
    assert [path.name for path in root.iterdir()] == ["home"]


def test_only_lower_numbers_are_removed(root: Path, journal: PlainJournal) -> None:
    for _ in range(4):
        journal.next_segment()
    Segments(root).remove(A, 3)
    assert sorted(path.name for path in journal.directory.glob("*.seg")) == ["3.seg", "4.seg"]


def test_tidying_keeps_the_newest_and_every_journal_that_is_not_closed(root: Path, journal: PlainJournal) -> None:
    old = PlainJournal(root, BootId("0" * 32))
    old.next_segment()
    old.die()
    segments = Segments(root)
    assert segments.boots() == [old.boot, A]
    segments.tidy(1, [old.boot])
    assert len(list(old.directory.glob("*.seg"))) == 1
    segments.tidy(0, [old.boot, BootId("2" * 32)])
    assert not old.directory.exists()
    assert journal.path.exists()


def test_only_a_journal_without_a_frame_is_discarded(root: Path, journal: PlainJournal) -> None:
    empty = PlainJournal(root, BootId("0" * 32))
    empty.die()
    journal.tick(frame(1))
    segments = Segments(root)
    segments.discard(empty.boot)
    segments.discard(journal.boot)
    assert not empty.directory.exists()
    assert journal.path.exists()


# --- the writer that workers use


async def test_the_workers_own_writer_is_read_while_it_lives_and_after_its_seal(root: Path) -> None:
    writer = SegmentJournal(root, A, "w", report=lambda *_: None)
    try:
        for number in range(3):
            writer.append(frame(number))
            await asyncio.sleep(0.01)
        frames, at, damage = read_all(root)
        assert (frames, damage) == ([frame(number) for number in range(3)], "")
        with Segments(root).proof_of_death(A) as dead:
            assert not dead
    finally:
        writer.close(9)
    assert read_all(root, at)[0] == [Seal(9)]
    with Segments(root).proof_of_death(A) as dead:
        assert dead


async def test_what_is_read_of_the_workers_own_writer_is_as_long_as_it_said(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "SEGMENT", 4096)
    writer = SegmentJournal(root, A, "w", report=lambda *_: None)
    try:
        for number in range(40):
            writer.append(frame(number, size=300))
            await asyncio.sleep(0.001)
    finally:
        writer.close(9)
    total, at = 0, START
    frames: list[Frame | Unreadable] = []
    while not (stretch := Segments(root).read(A, at, 3)).ended:
        total, at = total + stretch.size, stretch.to
        frames += stretch.frames
    assert stretch.damage == ""
    assert frames == [*(frame(number, size=300) for number in range(40)), Seal(9)]
    assert at.seg > 2
    assert total == writer.written
