"""The file of a backup: what was written comes back, and anything else is noticed."""

import stat
import tempfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clavero.adapters.storage.backup_file import FORMAT, Archive, ArchiveWriter, Manifest, Row
from clavero.domain.startup import StartFailure

cells = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.binary(max_size=200), st.text(max_size=100)
)
blocks = st.lists(st.lists(st.tuples(cells, cells), max_size=5), max_size=5)


def manifest(archive: ArchiveWriter, **changed: object) -> Manifest:
    facts: dict[str, object] = {
        "made_ns": 1, "clavero": "1.2", "schema": 1, "database": "sqlite", "instance": "i", "epoch": 1,
        "root_keys": ("rk_1",), "audit_seq": 0, "audit_hash": "0", "boots": {"b": (1, 2)}, "tables": archive.tables,
    }  # fmt: skip
    return Manifest(**{**facts, **changed})  # type: ignore[arg-type] # the names are the struct's


def write(file: Path, rows: list[list[Row]]) -> None:
    with ArchiveWriter(file) as archive:
        archive.table("things", ("a", "b"), rows, lambda _: None)
        archive.finish(manifest(archive))


@given(rows=blocks)
@settings(max_examples=50, deadline=None)
def test_every_row_comes_back_as_it_was(rows: list[list[Row]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "a.clavero"
        write(file, rows)
        archive = Archive(file)
        assert list(archive.blocks("things")) == rows
        assert archive.manifest.rows == sum(map(len, rows))
        assert archive.manifest.boots == {"b": (1, 2)}
        archive.close()


def test_the_file_is_its_owners_alone_and_nothing_else_is_left(tmp_path: Path) -> None:
    write(tmp_path / "a.clavero", [[(1, "x")]])
    assert [path.name for path in tmp_path.iterdir()] == ["a.clavero"]
    assert stat.S_IMODE((tmp_path / "a.clavero").stat().st_mode) == 0o600


def test_an_older_file_of_that_name_stays_until_the_new_one_is_whole(tmp_path: Path) -> None:
    file = tmp_path / "a.clavero"
    write(file, [[(1, "old")]])

    def fail() -> None:
        with ArchiveWriter(file) as archive:
            archive.table("things", ("a", "b"), [[(2, "new")]], lambda _: None)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    archive = Archive(file)
    assert list(archive.blocks("things")) == [[(1, "old")]]
    archive.close()
    assert [path.name for path in tmp_path.iterdir()] == ["a.clavero"]


@pytest.mark.parametrize("part", range(10))
def test_a_cut_file_is_no_backup(tmp_path: Path, part: int) -> None:
    file = tmp_path / "a.clavero"
    write(file, [[(number, "x" * 50) for number in range(100)]])
    data = file.read_bytes()
    file.write_bytes(data[: len(data) * part // 10])
    with pytest.raises(StartFailure) as caught:
        Archive(file)
    assert caught.value.code == "backup_damaged"


def test_a_byte_that_was_turned_is_noticed_wherever_it_is(tmp_path: Path) -> None:
    file = tmp_path / "a.clavero"
    write(file, [[(number, "x" * 50) for number in range(100)]])
    data, unnoticed, codes = file.read_bytes(), list[int](), set[str]()
    for at in range(0, len(data), 7):
        file.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        try:
            archive = Archive(file)
            rows = [row for block in archive.blocks("things") for row in block]
            archive.close()
            if rows != [(number, "x" * 50) for number in range(100)]:
                unnoticed.append(at)
        except StartFailure as failure:
            codes.add(failure.code)
    assert unnoticed == []
    assert codes == {"backup_damaged"}


def test_what_is_no_backup_is_told_as_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(StartFailure) as caught:
        Archive(tmp_path / "a.clavero")
    assert caught.value.code == "backup_missing"
    (tmp_path / "b.clavero").write_bytes(b"SQLite format 3\0" * 100)
    with zipfile.ZipFile(tmp_path / "c.clavero", "w") as other:
        other.writestr("notes.txt", "hello")
    with zipfile.ZipFile(tmp_path / "d.clavero", "w") as other:
        other.writestr("manifest.json", '{"format":"clavero-backup/9"}')
    for name, says in (("b", "no backup"), ("c", "no backup"), ("d", f"clavero-backup/9, this clavero reads {FORMAT}")):
        with pytest.raises(StartFailure) as caught:
            Archive(tmp_path / f"{name}.clavero")
        assert says in caught.value.message
