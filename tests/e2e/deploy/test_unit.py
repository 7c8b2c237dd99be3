"""The unit where systemd is not the first process: its command line with its environment, heard as systemd would."""

import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from tests.e2e.deploy.unit import expanded, read

ROOT = Path(__file__).parents[3]
UNIT = ROOT / "deploy" / "systemd" / "clavero.service"
DROP_INS = sorted((UNIT.parent / "clavero.service.d").glob("*.conf*"))
MOST_EXPOSURE = 15  # tenths; `systemd-analyze security` counts to 100, and less is better
WITHOUT_PRIVILEGES = ("setpriv", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all")


def test_systemd_finds_no_fault_with_the_unit(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("apt-get install systemd")
    program = tmp_path / "clavero"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    copy = tmp_path / "clavero.service"
    copy.write_text(UNIT.read_text().replace("/opt/clavero/bin/clavero", str(program)))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", str(copy)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "clavero" not in done.stderr


def test_the_exposure_of_the_unit_stays_where_it_is(tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("apt-get install systemd")
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSURE}", str(UNIT)],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-500:]


def test_the_command_of_the_unit_tells_its_manager_when_it_serves_lives_and_ends(tmp_path: Path) -> None:
    unit = read(UNIT)
    state, config = tmp_path / "state", tmp_path / "etc" / "clavero"
    config.mkdir(parents=True)
    (config / "clavero.toml").write_text('[log]\nlevel = "warning"\n')
    specifiers = {"S": str(state), "E": str(tmp_path / "etc"), "d": str(tmp_path / "credentials")}
    command = [word.replace("/opt/clavero", sys.prefix) for word in shlex.split(unit.one("ExecStart"))]
    guard = WITHOUT_PRIVILEGES if shutil.which("setpriv") else ()
    manager = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    manager.bind(str(tmp_path / "notify"))
    manager.settimeout(60)
    environ = {
        **unit.environment(specifiers), "PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "CLAVERO_GATEWAY_PORT": "0",
        "CLAVERO_ADMIN_PORT": "0", "NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "30000000",
    }  # fmt: skip
    process = subprocess.Popen(
        [*guard, *command], env=environ, cwd=expanded(unit.one("WorkingDirectory"), specifiers),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        ready = _heard(manager, "READY=1")
        port = ready.partition("gateway port ")[2].partition(",")[0]
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=10) as answer:
            assert answer.status == 200
        _heard(manager, "WATCHDOG=1")
        asked = [sys.executable, "-m", "clavero", "doctor", "--ready", "--data-dir", str(state / "clavero")]
        assert subprocess.run(asked, capture_output=True, check=False, timeout=30).returncode == 0
        process.send_signal(signal.SIGHUP)
        _heard(manager, "RELOADING=1")
        _heard(manager, "READY=1")
        process.send_signal(signal.Signals[unit.values.get(("Service", "KillSignal"), ["SIGTERM"])[-1]])
        _heard(manager, "STOPPING=1")
        assert process.wait(60) == 0
        assert subprocess.run(asked, capture_output=True, check=False, timeout=30).returncode == 1
        assert (state / "clavero").stat().st_mode & 0o077 == 0
    finally:
        process.kill()
        process.communicate()
        manager.close()


def _heard(manager: socket.socket, wanted: str) -> str:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        told = manager.recv(4096).decode()
        if wanted in told.split("\n"):
            return told
    raise AssertionError(wanted)


@pytest.mark.parametrize("file", [UNIT, *DROP_INS], ids=lambda file: file.name)
def test_no_secret_stands_in_a_unit(file: Path) -> None:
    unit = read(file)
    for line in unit.all("Environment"):
        for word in shlex.split(line):
            name, _, value = word.partition("=")
            secret = name.endswith(("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSPHRASE", "DATABASE_URL"))
            assert not secret or value.startswith("%"), f"{name}: give it by LoadCredential, or name its file"
            assert "://" not in value or "@" not in value, name
