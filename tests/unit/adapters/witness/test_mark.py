import stat
from pathlib import Path

from clavero.adapters.witness.mark import FileMark
from clavero.domain.witnesses import Told


def test_what_was_written_last_is_read(tmp_path: Path) -> None:
    mark = FileMark(tmp_path / "audit" / "told.json")
    assert mark.read() == Told()
    for seq in (3, 4):
        mark.write(Told(seq, "a" * 64))
    assert FileMark(tmp_path / "audit" / "told.json").read() == Told(4, "a" * 64)
    assert stat.S_IMODE((tmp_path / "audit" / "told.json").stat().st_mode) == 0o600


def test_a_torn_file_says_the_beginning(tmp_path: Path) -> None:
    (tmp_path / "told.json").write_text('{"seq":4')
    assert FileMark(tmp_path / "told.json").read() == Told()
