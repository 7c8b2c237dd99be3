import os
import stat
from pathlib import Path

import pytest

from clavero.adapters.witness.file import BadWitness, FileWitness
from clavero.domain.checkpoints import Checkpoint


def checkpoint(seq: int) -> Checkpoint:
    return Checkpoint(seq=seq, at_ns=seq, instance="i", hashes=("a" * 64,))


def test_what_is_kept_is_read_again_in_order(tmp_path: Path) -> None:
    witness = FileWitness(tmp_path / "audit" / "checkpoints.jsonl")
    assert list(witness.all()) == []
    for seq in (1, 2, 3):
        witness.keep(checkpoint(seq))
    assert list(FileWitness(tmp_path / "audit" / "checkpoints.jsonl").all()) == [checkpoint(n) for n in (1, 2, 3)]


def test_the_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    file = tmp_path / "audit" / "checkpoints.jsonl"
    FileWitness(file).keep(checkpoint(1))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_line_that_a_crash_tore_is_no_checkpoint_and_does_not_spoil_the_next(tmp_path: Path) -> None:
    file = tmp_path / "checkpoints.jsonl"
    witness = FileWitness(file)
    witness.keep(checkpoint(1))
    with file.open("ab") as torn:
        torn.write(b'{"seq":2,"at')
    assert list(witness.all()) == [checkpoint(1)]
    witness.keep(checkpoint(2))
    assert list(witness.all()) == [checkpoint(1), checkpoint(2)]


def test_a_line_that_is_no_checkpoint_is_named(tmp_path: Path) -> None:
    file = tmp_path / "checkpoints.jsonl"
    FileWitness(file).keep(checkpoint(1))
    file.write_bytes(file.read_bytes() + b"not json\n")
    with pytest.raises(BadWitness, match="line 2"):
        list(FileWitness(file).all())


def test_a_file_that_takes_nothing_says_so(tmp_path: Path) -> None:
    (tmp_path / "taken").write_bytes(b"")
    with pytest.raises(OSError, match=os.strerror(17)):
        FileWitness(tmp_path / "taken" / "checkpoints.jsonl").keep(checkpoint(1))


def test_the_newest_is_found_from_the_back_however_long_the_lines_are(tmp_path: Path) -> None:
    file = tmp_path / "checkpoints.jsonl"
    witness = FileWitness(file)
    assert witness.newest() is None
    for seq in (1, 2, 3):
        witness.keep(Checkpoint(seq=seq * 1500, at_ns=seq, instance="i", hashes=("a" * 64,) * 1500))
        newest = witness.newest()
        assert newest is not None
        assert newest.seq == seq * 1500
    with file.open("ab") as torn:
        torn.write(b'{"seq":2,"at')
    assert witness.newest() == newest
    file.write_bytes(b'{"seq":2,"at')
    assert witness.newest() is None
    file.write_bytes(b"something else\n")
    with pytest.raises(BadWitness, match="the last line"):
        witness.newest()
