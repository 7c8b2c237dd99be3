"""What `clavero doctor` can tell without a running clavero: disk, modes, clock, what starts with every Python."""

import os
import shutil
import site
import stat
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from pathlib import Path

from msgspec import Struct

from clavero.domain.units import format_size
from clavero.entrypoints.cli.speech import speak

_SCARCE = 0.05
_FULL = 0.01
_SKEW_S = 5.0
# What packaging tools themselves put there; a trojanised release of a gateway used this door to run at every start.
_KNOWN_STARTUP = ("distutils-precedence.pth", "_virtualenv.pth", "clavero.pth", "a1_coverage.pth")
_PRIVATE = ("admin.token", "seal/root.key", "clavero.db", "run/ready.json")


class Check(Struct, frozen=True):
    """One thing that was looked at: ok, warn or bad."""

    name: str
    meaning: str
    text: str
    fix: str = ""


def disk_check(data: Path) -> Check:
    """How much of the disk of the data directory is free."""
    place = data.absolute()
    while not place.exists():
        place = place.parent
    disk = shutil.disk_usage(place)
    share = disk.free / disk.total if disk.total else 0.0
    text = speak("free", share=f"{share:.0%}", size=format_size(disk.free))
    meaning = "bad" if share < _FULL else "warn" if share < _SCARCE else "ok"
    return Check("disk", meaning, text, "" if meaning == "ok" else speak("disk_fix"))


def modes_check(data: Path) -> list[Check]:
    """Whether the data directory and its secrets are their owner's alone."""
    if not data.is_dir():
        return [Check("data", "warn", speak("no_data", data=data), "clavero up")]
    wanted = [data, *(data / name for name in _PRIVATE), *(data / "demo").glob("*")]
    open_ones = [path for path in wanted if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077]
    if not open_ones:
        return [Check("data", "ok", speak("private_data", data=data))]
    # A directory that is closed protects whatever lies in it.
    meaning = "bad" if data in open_ones else "warn"
    return [Check("data", meaning, speak("open_to_others", file=path), f"chmod go= {path}") for path in open_ones]


def clock_check(date: str, now_ns: int) -> Check:
    """Whether this machine and the one that answered agree on the time; `date` is an HTTP date."""
    try:
        apart = now_ns / 1e9 - parsedate_to_datetime(date).timestamp()
    except ValueError:
        return Check("clock", "warn", speak("no_date"))
    meaning = "ok" if abs(apart) <= _SKEW_S else "warn"
    return Check(
        "clock", meaning, speak("apart", seconds=f"{abs(apart):.0f}"), "" if meaning == "ok" else "timedatectl"
    )


def foreign_startup(folders: Iterable[str] | None = None) -> Check:
    """Whether a .pth file that we do not know runs code at every start of this Python."""
    found = [
        path for folder in (folders if folders is not None else _site_folders()) for path in _running(Path(folder))
    ]
    if not found:
        return Check("packages", "ok", speak("no_startup"))
    names = ", ".join(path.name for path in found)
    return Check("packages", "warn", speak("startup", names=names), speak("startup_fix", folder=found[0].parent))


def _site_folders() -> list[str]:
    return [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]


def _running(folder: Path) -> list[Path]:
    """The .pth files of a folder that hold code: `site` runs each line that begins with import."""
    if not folder.is_dir():
        return []
    return [path for path in sorted(folder.glob("*.pth")) if path.name not in _KNOWN_STARTUP and _holds_code(path)]


def _holds_code(path: Path) -> bool:
    if not os.access(path, os.R_OK):
        return True
    lines = path.read_text("utf-8", "replace").splitlines()
    return any(line.startswith(("import ", "import\t")) for line in lines)
