import socket
from pathlib import Path

import pytest

from clavero.entrypoints.service_manager import ServiceManager, service_manager


class Manager:
    """The receiving end, as systemd has it."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.socket.settimeout(5)

    def heard(self) -> dict[str, str]:
        lines = self.socket.recv(4096).decode().split("\n")
        return dict(line.split("=", 1) for line in lines)

    def silent(self) -> bool:
        self.socket.setblocking(False)
        try:
            self.socket.recv(4096)
        except BlockingIOError:
            return True
        return False


@pytest.mark.parametrize("abstract", [False, True], ids=["file", "abstract"])
def test_a_manager_hears_of_every_change_of_state(tmp_path: Path, abstract: bool) -> None:
    name = f"clavero-test-{tmp_path.name}-{id(tmp_path)}"
    manager = Manager("\0" + name if abstract else str(tmp_path / "notify"))
    told = ServiceManager("@" + name if abstract else str(tmp_path / "notify"), watchdog_us=1)
    told.ready("1 worker\non 127.0.0.1")
    assert manager.heard() == {"READY": "1", "STATUS": "1 worker on 127.0.0.1"}
    told.reloading()
    heard = manager.heard()
    assert heard["RELOADING"] == "1"
    assert int(heard["MONOTONIC_USEC"]) > 0
    told.alive()
    assert manager.heard() == {"WATCHDOG": "1"}
    told.stopping()
    assert manager.heard()["STOPPING"] == "1"
    manager.socket.close()


def test_a_manager_that_set_no_watchdog_is_not_fed(tmp_path: Path) -> None:
    manager = Manager(str(tmp_path / "notify"))
    ServiceManager(str(tmp_path / "notify")).alive()
    assert manager.silent()
    manager.socket.close()


@pytest.mark.parametrize("address", ["", "/nowhere/at/all"], ids=["none", "gone"])
def test_a_manager_that_is_not_there_stops_nothing(address: str) -> None:
    told = ServiceManager(address, watchdog_us=1)
    told.ready("1 worker")
    told.alive()
    told.stopping()


def test_a_manager_that_reads_nothing_holds_nobody_up(tmp_path: Path) -> None:
    manager = Manager(str(tmp_path / "notify"))
    told = ServiceManager(str(tmp_path / "notify"), watchdog_us=1)
    for _ in range(2000):  # far more than its queue takes
        told.alive()
    manager.socket.close()


def test_the_environment_names_the_manager(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    assert not service_manager().watched
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    assert service_manager().watched
    monkeypatch.setenv("WATCHDOG_USEC", "soon")
    assert not service_manager().watched
    monkeypatch.setenv("NOTIFY_SOCKET", "vsock:2:1")  # a kind of address that we do not speak
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    assert not service_manager().watched
