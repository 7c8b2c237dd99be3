"""The plain journal writes what the reader's format says, and holds its lock until it dies."""

import fcntl
import os
from pathlib import Path

import pytest

from clavero.domain.ledger import BootId
from clavero.testing.journals import PlainJournal
from clavero.wire.journal import Seal, decode_blocks, decode_header


def test_frames_are_on_file_at_once_and_counted(tmp_path: Path) -> None:
    journal, ran = PlainJournal(tmp_path, BootId("a")), []
    journal.append(Seal(1), lambda: ran.append(1))
    journal.tick(Seal(2), Seal(3))
    data = journal.path.read_bytes()
    header, start = decode_header(data)
    assert (header.boot, header.number, header.previous) == ("a", 0, 0)
    assert decode_blocks(data, start) == ([Seal(1), Seal(2), Seal(3)], len(data), True)
    assert journal.written == len(data) - start
    assert ran == [1]
    journal.next_segment()
    assert decode_header(journal.path.read_bytes())[0].previous == len(data)
    journal.close()


def test_the_lock_is_held_for_life(tmp_path: Path) -> None:
    journal = PlainJournal(tmp_path, BootId("a"))
    lock = os.open(journal.directory / "lock", os.O_RDONLY)
    with pytest.raises(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    journal.die()
    journal.die()
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(lock)
