"""A machine of one's own for a unit file: systemd as first process of new namespaces, the wheel in /opt/clavero.

Nothing of the host is changed: `stage.sh` says how. It needs root, unshare and systemd, as Debian has them.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
SYSTEMD = Path("/usr/lib/systemd/systemd")
UNIT = ROOT / "deploy" / "systemd" / "clavero.service"
PYTHON = Path("/usr/bin/python3")  # one below /root or /home is none of a service's
CGROUPS = (Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))
_TARGETS = ("sysinit", "basic", "shutdown", "network-online", "multi-user", "umount", "final", "exit", "slices")
CERTIFICATES = ("--system-certs",) if Path("/etc/ssl/certs/ca-certificates.crt").exists() else ()


def why_not() -> str:
    """Why no stage can be set up here; "" where it can."""
    if os.geteuid() != 0:
        return "setting up a machine with systemd needs root"
    missing = [name for name in ("unshare", "nsenter", "systemctl") if shutil.which(name) is None]
    if missing or not SYSTEMD.exists():
        return f"apt-get install systemd util-linux: {', '.join(missing) or SYSTEMD} is missing"
    if sys.version_info[:2] != _version(PYTHON):
        return f"apt-get install python3: {PYTHON} is not the version that is tested"
    tried = subprocess.run(
        ["unshare", "-fpmn", "--mount-proc", "mount", "-t", "tmpfs", "tmpfs", "/mnt"], capture_output=True, check=False
    )
    return "" if tried.returncode == 0 else f"no namespaces here: {tried.stderr.decode().strip()}"


class Stage:
    """The machine, running."""

    def __init__(self, first: int) -> None:
        self._first = first

    def run(self, *words: str, check: bool = True, seconds: int = 60) -> str:
        """Run something on the machine, as root; what it printed."""
        done = subprocess.run(
            ["nsenter", "-t", str(self._first), "-a", *words],
            capture_output=True, text=True, timeout=seconds, check=False, env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        )  # fmt: skip
        assert not check or done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def show(self, name: str) -> str:
        """One property of the unit."""
        return self.run("systemctl", "show", "-P", name, "clavero").strip()

    def told(self) -> str:
        """Everything that helps where a test fails."""
        return self.run("systemctl", "status", "--no-pager", "-l", "clavero", check=False) + self.run(
            "sh", "-c", "cat /run/clavero.log", check=False
        )

    def wait_for(self, name: str, value: str, seconds: float = 60) -> None:
        """Wait until a property has a value."""
        until = time.monotonic() + seconds
        while (seen := self.show(name)) != value:
            assert time.monotonic() < until, f"{name} is {seen}, not {value}\n{self.told()}"
            time.sleep(0.1)


def install(folder: Path) -> Path:
    """The wheel and its locked dependencies in an environment that may be moved to /opt/clavero."""
    program = "import flit_core.buildapi, sys; print(flit_core.buildapi.build_wheel(sys.argv[1]))"
    wheel = folder / _say(sys.executable, "-c", program, str(folder)).strip().splitlines()[-1]
    place = folder / "opt"
    uv = (sys.executable, "-m", "uv", "--quiet")
    _say(*uv, "venv", "--relocatable", "--python", str(PYTHON), str(place))
    pip = (
        "pip",
        "sync",
        *CERTIFICATES,
        "--python",
        f"{place}/bin/python",
        "--require-hashes",
        "--only-binary",
        ":all:",
    )
    _say(*uv, *pip, str(ROOT / "requirements" / "run.txt"))
    _say(*uv, "pip", "install", "--python", f"{place}/bin/python", "--no-deps", str(wheel))
    place.chmod(0o755)
    return place


@contextlib.contextmanager
def stage(
    folder: Path, installed: Path, drop_ins: Mapping[str, str] | None = None, etc: Mapping[str, str] | None = None
) -> Iterator[Stage]:
    """The machine for the length of a block; `drop_ins` extend the unit, `etc` are files below /etc/clavero, root's alone, a TLS key for its group."""
    units = _units(folder / "units", drop_ins or {})
    given = folder / "etc"
    given.mkdir()
    for name, text in (etc or {}).items():
        (given / name).parent.mkdir(exist_ok=True)
        (given / name).write_text(text)
        (given / name).chmod({"tls/key.pem": 0o640, "tls/cert.pem": 0o644}.get(name, 0o600))
    with _cgroup(folder.name) as group, (folder / "systemd.log").open("w") as log:
        process = subprocess.Popen(
            ["unshare", "--fork", "--kill-child", "--pid", "--mount", "--mount-proc", "--ipc", "--uts", "--cgroup",
             "--net", "bash", str(HERE / "stage.sh"), str(units), str(installed), str(given)],
            stdout=log, stderr=log, preexec_fn=lambda: (group / "cgroup.procs").write_text("0"),  # noqa: PLW1509 - one thread
        )  # fmt: skip
        try:
            yield _booted(process, folder / "systemd.log")
        finally:
            process.send_signal(signal.SIGKILL)  # and with it, by --kill-child, everything of the machine
            process.wait(30)


def _booted(process: "subprocess.Popen[bytes]", log: Path) -> Stage:
    until = time.monotonic() + 30
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while True:
        assert process.poll() is None, log.read_text()
        first = children.read_text().split()
        if first:
            made = Stage(int(first[0]))
            if Path(f"/proc/{first[0]}/comm").read_text().strip() == "systemd" and "LoadState=loaded" in made.run(
                "systemctl", "show", "clavero", check=False
            ):
                return made
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.1)


def _units(folder: Path, drop_ins: Mapping[str, str]) -> Path:
    """Our unit as it is shipped, and no unit of the host: a machine that does nothing else."""
    more = folder / "clavero.service.d"
    more.mkdir(parents=True)
    shutil.copy(UNIT, folder / "clavero.service")
    for name in _TARGETS:
        (folder / f"{name}.target").write_text(f"[Unit]\nDescription={name}\nDefaultDependencies=no\n")
    (folder / "stage.target").write_text("[Unit]\nDescription=stage\nDefaultDependencies=no\nWants=clavero.service\n")
    output = "[Service]\nStandardOutput=append:/run/clavero.log\nStandardError=append:/run/clavero.log\n"
    for name, text in {"output": output, **drop_ins}.items():
        (more / f"{name}.conf").write_text(text)
    return folder


@contextlib.contextmanager
def _cgroup(name: str) -> Iterator[Path]:
    """A group that becomes the root of what the machine's systemd sees."""
    above = next(
        place for place in CGROUPS if (place / "cgroup.procs").exists() and (place / "cgroup.controllers").exists()
    )
    group = above / f"clavero-{name}"
    group.mkdir()
    try:
        yield group
    finally:
        for inner in sorted(group.rglob("*"), reverse=True):
            if inner.is_dir():
                _remove(inner)
        _remove(group)


def _remove(group: Path) -> None:
    for _ in range(100):
        try:
            group.rmdir()
        except OSError:  # its last process is still ending
            time.sleep(0.05)
        else:
            return


def _version(python: Path) -> tuple[int, ...]:
    if not python.exists():
        return ()
    return tuple(int(part) for part in _say(str(python), "-c", "import sys; print(*sys.version_info[:2])").split())


def _say(*words: str) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
