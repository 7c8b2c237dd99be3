"""Rows to a collector over real sockets: TLS, TCP, datagrams."""

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from clavero.adapters.witness.syslog import SyslogCollector
from clavero.domain.audit import AuditRow
from clavero.domain.witnesses import Collector


def row(seq: int, reason: str = "") -> AuditRow:
    return AuditRow(
        seq=seq, at_ns=seq, actor="asha", actor_kind="user", action="key.revoke", object_kind="key", object_id="k",
        reason=reason,
    )  # fmt: skip


class Listening:
    """A collector that counts lengths as RFC 6587 says, and keeps what it was told."""

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        self.lines: list[bytes] = []
        self.connections = 0
        self._context = context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._open: list[socket.socket] = []
        self.port = self._socket.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plain, _ = self._socket.accept()
                threading.Thread(target=self._read, args=(plain,), daemon=True).start()

    def _read(self, plain: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            sock = self._context.wrap_socket(plain, server_side=True) if self._context else plain
            self._open.append(sock)
            self.connections += 1
            with sock.makefile("rb") as stream:
                while digits := _digits(stream):
                    self.lines.append(stream.read(int(digits)))

    def hang_up(self) -> None:
        """End every connection as a restarted collector does."""
        for sock in self._open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self._open.clear()

    def close(self) -> None:
        self._socket.close()
        self.hang_up()

    def wait_for(self, count: int) -> list[bytes]:
        until = threading.Event()
        for _ in range(500):
            if len(self.lines) >= count:
                break
            until.wait(0.01)
        return self.lines


def _digits(stream: object) -> bytes:
    found = b""
    while (one := stream.read(1)) not in {b"", b" "}:  # type: ignore[attr-defined]  # a buffered reader
        found += one
    return found


@pytest.fixture
def listening() -> Iterator[Listening]:
    one = Listening()
    yield one
    one.close()


def test_rows_come_whole_and_in_order_over_tcp(listening: Listening) -> None:
    collector = SyslogCollector(Collector("tcp", "127.0.0.1", listening.port))
    collector.tell([row(1), row(2, "two\nlines and a length 12 <13>")])
    collector.tell([row(3)])
    lines = listening.wait_for(3)
    assert [b'"seq":%d,' % n in line for n, line in enumerate(lines, 1)] == [True] * 3
    assert listening.connections == 1
    collector.close()


def test_a_collector_that_was_started_anew_is_connected_to_again(listening: Listening) -> None:
    collector = SyslogCollector(Collector("tcp", "127.0.0.1", listening.port))
    collector.tell([row(1)])
    listening.wait_for(1)
    listening.hang_up()
    collector.tell([row(2)])
    assert len(listening.wait_for(2)) == 2
    assert listening.connections == 2
    collector.close()


def test_over_tls_the_connection_stays_and_a_stranger_s_certificate_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    listening = Listening(context)
    place = Collector("tls", "127.0.0.1", listening.port)
    with pytest.raises(ssl.SSLCertVerificationError):
        SyslogCollector(place).tell([row(1)])
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    collector = SyslogCollector(place)
    for seq in (1, 2, 3):
        collector.tell([row(seq)])
        listening.wait_for(seq)
    assert len(listening.lines) == 3
    assert listening.connections == 1
    collector.close()
    listening.close()


@pytest.mark.parametrize("kind", ["udp", "unix"])
def test_each_row_is_one_datagram(kind: str, tmp_path: Path) -> None:
    family = socket.AF_UNIX if kind == "unix" else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as ear:
        ear.settimeout(5)
        ear.bind(str(tmp_path / "log") if kind == "unix" else ("127.0.0.1", 0))
        place = Collector("unix", str(tmp_path / "log")) if kind == "unix" else None
        collector = SyslogCollector(place or Collector("udp", "127.0.0.1", ear.getsockname()[1]))
        collector.tell([row(1), row(2)])
        heard = [ear.recv(65536) for _ in range(2)]
        collector.close()
    assert [one.startswith(b"<109>1 ") for one in heard] == [True, True]
    assert b'"seq":2,' in heard[1]


def test_nobody_there_is_an_error_of_the_system(tmp_path: Path) -> None:
    for place in (Collector("tcp", "127.0.0.1", 9), Collector("unix", str(tmp_path / "nothing"))):
        with pytest.raises(OSError, match=r"refused|No such file"):
            SyslogCollector(place).tell([row(1)])
