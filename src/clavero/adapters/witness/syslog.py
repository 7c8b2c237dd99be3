"""A collector that is told rows by syslog: over TLS or TCP with lengths, or one datagram for each."""

import contextlib
import socket
import ssl
from collections.abc import Sequence
from typing import Final

from clavero.domain.audit import AuditRow
from clavero.domain.witnesses import Collector
from clavero.wire.syslog import counted, message

_SECONDS: Final = 10


class SyslogCollector:
    """Tells rows in order. Syslog confirms nothing: what a broken connection swallowed is not told again."""

    def __init__(self, collector: Collector) -> None:
        self.name = f"{collector.kind}:{collector.host}"
        self._collector = collector
        self._socket: socket.socket | None = None
        self._host = socket.gethostname()

    def tell(self, rows: Sequence[AuditRow]) -> None:
        """Send them all; `OSError` where that fails, and then any of them may have arrived."""
        lines = [message(row, self._host) for row in rows]
        try:
            sock = self._open()
            if self._collector.kind in {"tcp", "tls"}:
                sock.sendall(b"".join(counted(line) for line in lines))
            else:
                for line in lines:
                    sock.send(line)
        except OSError:
            self.close()
            raise

    def close(self) -> None:
        """End the connection, if there is one."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _open(self) -> socket.socket:
        if self._socket is not None and _ended(self._socket):
            self.close()
        if self._socket is None:
            self._socket = self._connected()
        return self._socket

    def _connected(self) -> socket.socket:
        kind, host, port = self._collector.kind, self._collector.host, self._collector.port
        if kind == "unix":
            return _datagrams(socket.AF_UNIX, host)
        if kind == "udp":
            family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
            return _datagrams(family, address)
        plain = socket.create_connection((host, port), _SECONDS)
        if kind == "tcp":
            return plain
        with contextlib.ExitStack() as stack:
            stack.enter_context(plain)
            wrapped = ssl.create_default_context().wrap_socket(plain, server_hostname=host)
            stack.pop_all()
        return wrapped


def _datagrams(family: int, address: str | tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.settimeout(_SECONDS)
    try:
        sock.connect(address)
    except OSError:
        sock.close()
        raise
    return sock


def _ended(sock: socket.socket) -> bool:
    """Whether the other side has ended a stream; what else it says (tickets of TLS) is nothing to us."""
    if sock.type != socket.SOCK_STREAM:
        return False
    sock.settimeout(0)
    try:
        return not sock.recv(1)
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True
    finally:
        sock.settimeout(_SECONDS)
