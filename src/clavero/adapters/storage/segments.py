"""Reading the journal's segments, `<boot>/<number>.seg`, while their writer lives and after it is dead.

A segment is read up to its first bad block. That is its end if the next segment says so in its header (`previous` is
the good length of the one before), or if there is no next one: then it is a torn tail, whose calls never left. All
else is damage, and what a boot may have spent behind it is unknown (L29).
"""

import contextlib
import fcntl
import os
import secrets
from collections.abc import Callable, Collection, Iterator, Sequence
from pathlib import Path

from clavero.domain.ledger import BootId, Place, Position
from clavero.domain.pins import Pin, pinned
from clavero.ports.journal import Stretch
from clavero.wire.journal import BadHeader, Header, block_size, decode_blocks, decode_header

LOCK = "lock"
_KEPT = "kept"  # read segments that a backup would need; apart, so that their writer does not count them
_HOME = "home"
_SUFFIX = ".seg"
_CHUNK = 256 * 1024
_HEADER_MAX = 4096
_KERNEL_BOOT = Path("/proc/sys/kernel/random/boot_id")

Pins = Callable[[], Sequence[Pin]]


def place(root: Path, *, durable: bool = False) -> Place:
    """Which journal directory this is, named at its first use, and which kernel runs."""
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    home = root / _HOME
    with contextlib.suppress(FileExistsError):
        draft = root / f".{_HOME}.{secrets.token_hex(8)}"
        draft.write_text(secrets.token_hex(16), "ascii")
        try:
            os.link(draft, home)  # whole or not at all, and never over one that is there
        finally:
            draft.unlink()
    kernel = _KERNEL_BOOT.read_text("ascii").strip() if _KERNEL_BOOT.exists() else ""
    return Place(home.read_text("ascii").strip(), kernel, durable)


class Segments:
    """The `Journals` of one directory."""

    def __init__(self, root: Path, *, durable: bool = False, pins: Pins = lambda: ()) -> None:
        self._root = root
        self._place = place(root, durable=durable)
        self._pins = pins  # ConnectionError where nobody can say: then everything stays

    @property
    def place(self) -> Place:
        """Which directory on which running kernel."""
        return self._place

    def read(self, boot: BootId, at: Position, most: int) -> Stretch:
        """Whole blocks from a position on, at least one and about `most` frames."""
        directory = self._root / boot
        if at == Position(0, 0):
            at = Position(_first(directory), 0)
        return _read(directory, boot, at, most)

    @contextlib.contextmanager
    def proof_of_death(self, boot: BootId, *, rebooted: bool = False) -> Iterator[bool]:
        """True where the boot's lock is free, which is kept meanwhile; without a lock file only after a reboot."""
        try:
            lock = os.open(self._root / boot / LOCK, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            yield rebooted
            return
        try:
            yield _locked(lock)
        finally:
            os.close(lock)

    def resume(self, boot: BootId, after: Position) -> Position | None:
        """The beginning of the next segment that is there, behind one that is not or cannot be read."""
        directory = self._root / boot
        numbers = [number for number in _numbers(directory) if number > after.seg]
        return next((Position(number, 0) for number in numbers if _header(_path(directory, number))), None)

    def remove(self, boot: BootId, below: int) -> None:
        """Remove the segments with a lower number; what a backup would need is put aside."""
        directory = self._root / boot
        old = [path for path in directory.glob(f"*{_SUFFIX}") if path.stem.isdecimal() and int(path.stem) < below]
        if old:
            self._drop(boot, old)

    def boots(self) -> Sequence[BootId]:
        """Whose journals are here."""
        return sorted(BootId(path.name) for path in self._root.iterdir() if path.is_dir())

    def tidy(self, keep: int, closed: Collection[BootId]) -> None:
        """Remove what these boots left, but for the newest segments of them all and what a backup would need."""
        left = [path for boot in closed for path in (self._root / boot).glob(f"*{_SUFFIX}")]
        left.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
        for boot in closed:
            self._drop(boot, [path for path in left[keep:] if path.parent.name == boot])
        for directory in (self._root / boot for boot in closed):
            if directory.is_dir() and not _numbers(directory):
                _clear(directory)

    def discard(self, boot: BootId) -> None:
        """Remove a journal without a frame; one with frames is of a database that was restored (L31)."""
        directory = self._root / boot
        first = self.read(boot, Position(0, 0), 1)
        if first.frames or first.damage:
            return
        for number in _numbers(directory):
            _path(directory, number).unlink(missing_ok=True)
        _clear(directory)

    def _drop(self, boot: BootId, old: Sequence[Path]) -> None:
        """Remove segments, and those put aside before that nobody needs any more."""
        kept = self._root / boot / _KEPT
        aside = list(kept.glob(f"*{_SUFFIX}"))
        if not (old or aside):
            return
        try:
            pins = self._pins()
        except ConnectionError:
            return
        for path in (*old, *aside):
            needed = pinned(pins, boot, int(path.stem), path.stat().st_mtime_ns)
            if not needed:
                path.unlink(missing_ok=True)
            elif path.parent != kept:
                kept.mkdir(mode=0o700, exist_ok=True)
                path.rename(kept / path.name)


def _read(directory: Path, boot: BootId, at: Position, most: int) -> Stretch:
    while True:
        try:
            stretch = _read_segment(_path(directory, at.seg), boot, at, most)
        except FileNotFoundError:
            return _without_file(directory, boot, at)
        except BadHeader as error:
            begun = _header(_path(directory, at.seg)) or _begun_after(directory, at.seg)
            return _nothing(at, f"segment {at.seg}: {error}" if begun else "")
        if stretch.frames:
            return stretch
        at = stretch.to
        header = _header(_path(directory, at.seg + 1))
        if header is None:
            later = _begun_after(directory, at.seg)
            return _nothing(at, f"segment {at.seg + 1} is missing" if later else "")
        # Its writer may have written here until just before it began the next one: look once more.
        stretch = _read_segment(_path(directory, at.seg), boot, at, most)
        if stretch.frames:
            return stretch
        if header.previous != at.off:
            return _nothing(at, f"segment {at.seg} is good up to {at.off}, its writer says {header.previous}")
        at = Position(at.seg + 1, 0)


def _read_segment(path: Path, boot: BootId, at: Position, most: int) -> Stretch:
    """Raises `FileNotFoundError` and `BadHeader`."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        off = at.off
        if off == 0:
            header, off = decode_header(os.pread(file, _HEADER_MAX, 0))
            if (header.boot, header.number) != (boot, at.seg):
                raise BadHeader("it is a segment of somebody else")
        chunk = os.pread(file, _CHUNK, off)
        size = block_size(chunk)
        if size > _CHUNK:
            chunk = os.pread(file, size, off)
        frames, end, _ = decode_blocks(chunk, 0, most)
        return Stretch(frames, Position(at.seg, off + end), end, ended=not frames)
    finally:
        os.close(file)


def _without_file(directory: Path, boot: BootId, at: Position) -> Stretch:
    if not directory.is_dir():
        return _nothing(at, "the journal is gone")
    header = _header(_path(directory, at.seg + 1))
    if at.off and header is not None and (header.boot, header.previous) == (boot, at.off):
        return Stretch((), Position(at.seg + 1, 0), 0, ended=False)  # read to its end and removed since
    if at.off or at.seg == 0 or _begun_after(directory, at.seg):  # the first one is made before a boot registers
        return _nothing(at, f"segment {at.seg} is gone")
    return _nothing(at)


def _nothing(at: Position, damage: str = "") -> Stretch:
    return Stretch((), at, 0, ended=True, damage=damage)


def _begun_after(directory: Path, number: int) -> bool:
    return any(later > number and _header(_path(directory, later)) is not None for later in _numbers(directory))


def _header(path: Path) -> Header | None:
    """The header of a segment that was begun; None where it is only preallocated, or its header is torn."""
    try:
        with path.open("rb") as file:
            return decode_header(file.read(_HEADER_MAX))[0]
    except (FileNotFoundError, BadHeader):
        return None


def _numbers(directory: Path) -> list[int]:
    found = (path for place in (directory, directory / _KEPT) for path in place.glob(f"*{_SUFFIX}"))
    return sorted({int(path.stem) for path in found if path.stem.isdecimal()})


def _first(directory: Path) -> int:
    """The number that the writer began with: nothing was written before it."""
    lowest = min(_numbers(directory), default=0)
    header = _header(_path(directory, lowest))
    return lowest if header is not None and header.previous == 0 else 0


def _path(directory: Path, number: int) -> Path:
    path = directory / f"{number}{_SUFFIX}"
    kept = directory / _KEPT / path.name
    return kept if not path.exists() and kept.exists() else path


def _clear(directory: Path) -> None:
    (directory / LOCK).unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        (directory / _KEPT).rmdir()
    with contextlib.suppress(OSError):  # somebody left something of their own there
        directory.rmdir()


def _locked(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
