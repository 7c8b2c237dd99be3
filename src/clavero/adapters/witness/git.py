"""A git repository that keeps checkpoints: one commit for each, pushed to where the branch comes from.

The operator clones the repository and gives this machine a key that may add to its branch and not rewrite it.
"""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from clavero.adapters.witness.file import FileWitness
from clavero.domain.checkpoints import Checkpoint

FILE: Final = "checkpoints.jsonl"
_SECONDS = 60  # for a push over a slow line
_AUTHOR: Final = {
    "GIT_AUTHOR_NAME": "clavero", "GIT_AUTHOR_EMAIL": "clavero@localhost",
    "GIT_COMMITTER_NAME": "clavero", "GIT_COMMITTER_EMAIL": "clavero@localhost",
}  # fmt: skip
_QUIETLY: Final = {"GIT_TERMINAL_PROMPT": "0", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes", "LC_ALL": "C"}


class GitWitness:
    """Keeps checkpoints in a clone of a repository that somebody else holds."""

    def __init__(self, folder: Path) -> None:
        self.name = f"git:{folder}"
        self._folder = folder
        self._file = FileWitness(folder / FILE)

    def keep(self, checkpoint: Checkpoint) -> None:
        """Add one, commit it and push it; `OSError` where that fails, and the next try goes on from there."""
        self._look()
        if self._last() != checkpoint:
            self._file.keep(checkpoint)
        self._git("add", "--", FILE)
        if self._git("status", "--porcelain", "--", FILE):
            first, last = checkpoint.first, checkpoint.seq
            self._git("commit", "--quiet", "--no-verify", "--no-gpg-sign", "-m", f"Rows {first} to {last}", "--", FILE)
        if self._git("remote"):
            self._git("push", "--quiet")

    def all(self) -> Iterator[Checkpoint]:
        """Every checkpoint, oldest first, as the clone has them."""
        self._look()
        return self._file.all()

    def newest(self) -> Checkpoint | None:
        """The last one."""
        self._look()
        return self._last()

    def _last(self) -> Checkpoint | None:
        return self._file.newest()

    def _look(self) -> None:
        if not (self._folder / ".git").exists():
            raise OSError(f"{self._folder} is no git repository: clone one there")

    def _git(self, *words: str) -> str:
        try:
            done = subprocess.run(  # noqa: S603 - words of our own
                ["git", "-C", str(self._folder), *words], capture_output=True, text=True, errors="replace",  # noqa: S607 - the system's git
                timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL, env=_environment(),
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise OSError(f"git {words[0]} took longer than {_SECONDS} s") from None
        if done.returncode:
            raise OSError(f"git {words[0]}: {(done.stderr.strip() or done.stdout.strip())[-300:]}")
        return done.stdout.strip()


def _environment() -> dict[str, str]:
    return {"PATH": os.defpath, "HOME": str(Path.home()), **_AUTHOR, **_QUIETLY}
