"""The wheel, installed in an empty environment outside the checkout: what a user of the package has."""

import subprocess
import sys
import zipfile
from pathlib import Path

from tests.e2e.running import clean_environ, start

ROOT = Path(__file__).parents[2]


def run(*words: str, cwd: Path) -> str:
    done = subprocess.run([sys.executable, *words], capture_output=True, text=True, timeout=200, check=False, cwd=cwd)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(folder: Path) -> Path:
    program = "import flit_core.buildapi, sys; print(flit_core.buildapi.build_wheel(sys.argv[1]))"
    return folder / run("-c", program, str(folder), cwd=ROOT).strip().splitlines()[-1]


# The system's certificates where there are some, as the Makefile does.
CERTIFICATES = ("--system-certs",) if Path("/etc/ssl/certs/ca-certificates.crt").exists() else ()


def test_the_installed_wheel_runs_and_answers(tmp_path: Path) -> None:
    wheel = build(tmp_path)
    run("-m", "uv", "venv", "--quiet", "--python", sys.executable, "empty", cwd=tmp_path)
    python = str(tmp_path / "empty" / "bin" / "python")
    locked = ("--require-hashes", "--only-binary", ":all:", str(ROOT / "requirements" / "run.txt"))
    run("-m", "uv", "pip", "sync", "--quiet", *CERTIFICATES, "--python", python, *locked, cwd=tmp_path)
    run("-m", "uv", "pip", "install", "--quiet", "--python", python, "--no-deps", str(wheel), cwd=tmp_path)
    environ = {**clean_environ(tmp_path), "PYTHONPATH": "", "VIRTUAL_ENV": ""}
    running = start(tmp_path / "data", environ=environ, command=[str(tmp_path / "empty" / "bin" / "clavero")])
    try:
        assert running.chat().status == 200
        assert running.api("GET", "/status").json["workers"]
    finally:
        assert running.stop() == 0


def test_the_wheel_starts_nothing_by_itself_and_carries_what_the_console_needs(tmp_path: Path) -> None:
    """A trojanised release of a peer ran at every interpreter start by a `.pth` file (litellm 1.82.7)."""
    names = zipfile.ZipFile(build(tmp_path)).namelist()
    assert not [name for name in names if name.endswith(".pth")]
    assert not [name for name in names if not name.startswith(("clavero/", "clavero-"))]
    assert any(name.endswith("prices/catalogue.json") for name in names)
    assert any("/console/static/" in name for name in names)
    assert any("/console/templates/" in name for name in names)
    assert not [name for name in names if "NOTE_" in name]
