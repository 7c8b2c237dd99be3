"""What SIGHUP means: a terminal that was closed ends what ran in it; anybody else's is an order to reload."""

import os
import signal

_TERMINAL = "/dev/tty"  # whatever terminal a process belongs to


class Terminal:
    """The terminal that this process was started at, unless it was told to outlive it, as `nohup` does."""

    def __init__(self) -> None:
        self._ours = _present() and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN

    @property
    def left(self) -> bool:
        """Whether it is no longer there."""
        return self._ours and not _present()


def _present() -> bool:
    try:
        os.close(os.open(_TERMINAL, os.O_RDONLY | os.O_NOCTTY | os.O_CLOEXEC))
    except OSError:
        return False
    return True
