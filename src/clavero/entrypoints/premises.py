"""The data directory and the ports: made, probed and locked before anything starts."""

import errno
import fcntl
import json
import os
import pwd
import socket
import stat
from pathlib import Path
from types import TracebackType

from clavero.domain.startup import Exit, StartFailure

LOOPBACK = "127.0.0.1"
_PORT_FREE = 1024


class Premises:
    """A data directory that this supervisor alone uses. Leaving gives the lock and the ports back."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self._lock = self._log = -1
        self._held: list[socket.socket] = []

    def __enter__(self) -> "Premises":
        """Make the directory (0700) and take its lock; `StartFailure` where either cannot be."""
        try:
            for folder in ("", "run", "seal", "journal", "log"):
                (self.data / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.data / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise unwritable(self.data, error) from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise self._already_running() from None
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, str(os.getpid()).encode(), 0)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what is held."""
        for held in self._held:
            held.close()
        (self.data / "run" / "ready.json").unlink(missing_ok=True)
        os.close(self._lock)
        if self._log >= 0:
            os.close(self._log)

    def hold_port(self, port: int, setting: str, host: str = LOOPBACK) -> int:
        """The number of a port that is ours from now on; 0 takes any free one. `StartFailure` where it is in use.

        A bind with SO_REUSEADDR but not SO_REUSEPORT tells whether a stranger listens; the socket that is kept has
        SO_REUSEPORT and never listens, so that children may bind beside it and nobody else can.
        """
        if port and any(held.getsockname()[1] == port for held in self._held):
            message = f"port {port} is asked for twice"
            raise StartFailure("port_in_use", message, f"--{setting} 0 takes any free port")
        try:
            with _socket(host) as probe:
                probe.bind((host, port))
                port = probe.getsockname()[1]
            held = _socket(host, reuse_port=True)
            self._held.append(held)
            held.bind((host, port))
        except OSError as error:
            raise not_bound(error, host, port, setting) from None
        return port

    def open_log(self) -> int:
        """A descriptor of `log/clavero.log`, which is appended to; its owner's alone."""
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
        self._log = os.open(self.data / "log" / "clavero.log", flags, 0o600)
        return self._log

    def _already_running(self) -> StartFailure:
        pid = (self.data / "lock").read_text() or "unknown"
        try:
            url = json.loads((self.data / "run" / "ready.json").read_text())["admin_url"]
        except (OSError, ValueError, KeyError):
            url = "the console"
        message = f"clavero already runs on {self.data}, pid {pid}"
        return StartFailure("already_running", message, f"open {url}, or stop it: kill {pid}", Exit.ALREADY_RUNNING)


def bound_socket(port: int, host: str = LOOPBACK) -> socket.socket:
    """A socket for a child to listen on, beside the one the supervisor holds."""
    made = _socket(host, reuse_port=True)
    made.bind((host, port))
    return made


def write_private(path: Path, data: bytes) -> None:
    """Replace a file whole, readable by its owner alone, durable before it is visible."""
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.fchmod(descriptor, 0o600)
        os.write(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    fresh.replace(path)


def unwritable(data: Path, error: OSError) -> StartFailure:
    """Why nothing can be written there, with owner and mode of the nearest folder that exists."""
    place = data
    while not place.exists() and place != place.parent:
        place = place.parent
    held = place.stat()
    try:
        owner = pwd.getpwuid(held.st_uid).pw_name
    except KeyError:
        owner = str(held.st_uid)
    mode = f"{stat.S_IMODE(held.st_mode):04o}"
    reason = (error.strerror or "unknown error").lower()
    message = f"cannot write {data} ({reason}; {place} is {owner}'s, {mode})"
    return StartFailure("data_dir_unwritable", message, "change its owner, or use --data-dir DIR")


def not_bound(error: OSError, host: str, port: int, setting: str) -> StartFailure:
    """Why a port is not ours, and what to do."""
    match error.errno:
        case errno.EACCES:
            fix = f"--{setting} {port + 8000 if port < _PORT_FREE else 0}, or grant CAP_NET_BIND_SERVICE"
            return StartFailure("port_forbidden", f"this user may not bind port {port}", fix)
        case errno.EADDRNOTAVAIL | errno.EAFNOSUPPORT | errno.ENODEV:
            fix = f"--{setting.replace('port', 'host')} with an address of this machine"
            return StartFailure("address_not_here", f"no interface here has {host}", fix)
        case _:
            return StartFailure("port_in_use", f"port {port} is in use", f"--{setting} 0 takes any free port")


def _socket(host: str, *, reuse_port: bool = False) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    if host == "::":
        made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)  # all addresses, those of IPv4 too
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if reuse_port:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return made
