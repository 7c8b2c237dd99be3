import os
import stat
from pathlib import Path

from clavero.adapters.storage.tombs import Tombs
from clavero.domain.tombstones import Tombstone

ONE = Tombstone(kind="key", id="k1", at_ns=1, reason='leaked, "see wiki"\nand blog')
TWO = Tombstone(kind="version", id="k2", at_ns=2, version=1, ends_ns=9)


def test_what_is_added_is_there_for_whoever_opens_the_file_later(tmp_path: Path) -> None:
    file = tmp_path / "ended.jsonl"
    Tombs(file, lambda _: None).add([ONE])
    Tombs(file, lambda _: None).add([TWO])
    assert Tombs(file, lambda _: None).all() == [ONE, TWO]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_torn_line_costs_itself_alone(tmp_path: Path) -> None:
    file = tmp_path / "ended.jsonl"
    tombs = Tombs(file, lambda _: None)
    tombs.add([ONE])
    with file.open("ab") as end:
        end.write(b'{"kind":"key","id":"k')
    tombs.add([TWO])
    assert tombs.all() == [ONE, TWO]


def test_a_disk_that_takes_nothing_is_told_of_and_gets_it_later(tmp_path: Path) -> None:
    folder = tmp_path / "away"
    told: list[OSError] = []
    tombs = Tombs(folder / "ended.jsonl", told.append)
    tombs.add([ONE])
    assert len(told) == 1
    assert tombs.all() == []
    os.mkdir(folder)  # noqa: PTH102 - as an operator does
    tombs.add([TWO])
    assert tombs.all() == [ONE, TWO]


def test_nothing_to_say_makes_no_file(tmp_path: Path) -> None:
    Tombs(tmp_path / "ended.jsonl", lambda _: None).add([])
    assert list(tmp_path.iterdir()) == []
