"""The driver's side of the crash points: arm one, see who died of it."""

import json
import os
import signal
from pathlib import Path

from tests.e2e.campaign.inside import crash_points
from tests.e2e.campaign.inside.crash_points import POINTS, VARIABLE

INSIDE = Path(crash_points.__file__).parent


MOST = {point.name: point.most for point in POINTS}


def of(role: str) -> list[str]:
    """Names of the points that processes of a role pass."""
    return [point.name for point in POINTS if point.role == role]


class Arsenal:
    """A folder of armed points, and the environment that lets a process look there."""

    def __init__(self, folder: Path, silent_seconds: float) -> None:
        self._folder = folder
        for part in ("armed", "taken", "died"):
            (folder / part).mkdir(parents=True)
        constants = {
            # Journals roll often, so that a process dies there as well.
            "clavero.adapters.storage.journal": {"SEGMENT": 96 * 1024},
            "clavero.entrypoints.child": {"SILENT_SECONDS": silent_seconds},
            "clavero.entrypoints.supervisor": {"SLEPT_SECONDS": 2.5},
        }
        (folder / crash_points.CONSTANTS).write_text(json.dumps(constants))
        self.died: dict[str, int] = {}  # by point, all that were seen
        self._seen: set[str] = set()

    def environment(self, environ: dict[str, str]) -> dict[str, str]:
        """The same, with crash points."""
        path = os.pathsep.join(filter(None, (str(INSIDE), environ.get("PYTHONPATH", ""))))
        return {**environ, "PYTHONPATH": path, VARIABLE: str(self._folder)}

    def arm(self, point: str, passes: int, number: signal.Signals = signal.SIGKILL) -> None:
        """Let the process that comes by die (or stop) there, after so many passages."""
        fresh = self._folder / "fresh"
        fresh.write_text(f"{passes} {int(number)}")
        fresh.rename(self._folder / "armed" / point)

    def disarm(self) -> None:
        """Take back what nobody has come by for."""
        for armed in (self._folder / "armed").iterdir():
            armed.unlink(missing_ok=True)

    def armed(self) -> int:
        """How many are armed, and nobody has come by yet."""
        return len(list((self._folder / "armed").iterdir()))

    def look(self) -> int:
        """How many have died at points by now; counts them by point."""
        for word in (self._folder / "died").iterdir():
            if word.name not in self._seen:
                self._seen.add(word.name)
                point = word.name.rpartition(".")[0]
                self.died[point] = self.died.get(point, 0) + 1
        return len(self._seen)
