"""What the supervisor tells systemd: ready, reloading, stopping, and that its loop still turns (sd_notify).

A datagram to the socket that NOTIFY_SOCKET names, as sd_notify(3) describes it; without that variable nothing is said.
A manager that has gone, or hears nothing, is never a reason to stop serving.
"""

import contextlib
import socket
import time

from clavero.settings import variable

_MOST_STATUS = 200  # letters of a status line
_QUIETLY = socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK  # a manager whose queue is full holds nobody up


class ServiceManager:
    """The way to whoever started us; `address` "" is nobody."""

    def __init__(self, address: str, watchdog_us: int = 0) -> None:
        self.watched = bool(address) and watchdog_us > 0
        self._address = "\0" + address[1:] if address.startswith("@") else address

    def ready(self, status: str) -> None:
        """Everything serves, for the first time or again after a reload; `status` is one line for people."""
        self._say("READY=1", f"STATUS={status[:_MOST_STATUS]}")

    def reloading(self) -> None:
        """Files are read again; `ready` says when that is over."""
        self._say("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", "STATUS=Reloading")

    def stopping(self) -> None:
        """The end has begun: open calls are let finish."""
        self._say("STOPPING=1", "STATUS=Draining")

    def alive(self) -> None:
        """The loop turned; said only to a manager that asked for it."""
        if self.watched:
            self._say("WATCHDOG=1")

    def _say(self, *lines: str) -> None:
        if not self._address:
            return
        told = "\n".join(line.replace("\n", " ") for line in lines).encode()
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | _QUIETLY) as way:
            way.sendto(told, self._address)


def service_manager() -> ServiceManager:
    """The manager that started this process; nobody where none says so."""
    address = variable("NOTIFY_SOCKET")
    interval = variable("WATCHDOG_USEC")
    meant = address.startswith(("/", "@"))
    return ServiceManager(address if meant else "", int(interval) if interval.isdecimal() else 0)
