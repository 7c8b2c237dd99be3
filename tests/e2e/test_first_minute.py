"""What a newcomer does in the first minute, as real processes."""

import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.e2e.running import CLAVERO, Running, clean_environ, fetch, start, wait_for


@pytest.mark.requirement(22)
def test_the_printed_call_answers(clavero: Running) -> None:
    printed = clavero.data.with_name("data.log").read_text()
    assert clavero.gateway in printed
    assert "clvk_" not in printed, "no key on the screen"
    header = (clavero.data / "demo" / "header").read_text().strip()
    name, _, value = header.partition(": ")
    answer = clavero.post(
        "/v1/chat/completions",
        {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "Hi"}]},
        **{name: value},
    )
    assert answer.status == 200, answer.body
    assert answer.json["choices"][0]["message"]["content"]
    assert answer.json["usage"]["total_tokens"] > 0


def test_answers_carry_what_an_operator_looks_for(clavero: Running) -> None:
    headers = {name.lower(): value for name, value in clavero.chat().headers.items()}
    for name in (
        "x-request-id",
        "x-clavero-key",
        "x-clavero-model",
        "x-clavero-provider",
        "x-clavero-cost",
        "x-clavero-attempts",
        "x-clavero-overhead-ms",
    ):
        assert headers.get(name), name


@pytest.mark.requirement(12)
def test_the_keys_are_written_once_for_their_owner_alone(clavero: Running) -> None:
    folder = clavero.data / "demo"
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.is_file()}
    assert files
    assert set(files.values()) == {0o600}
    assert "OPENAI_BASE_URL" in (folder / "env").read_text()
    assert [row["name"] for row in clavero.ready["keys"]] == ["prod-support-chat-01", "prod-support-summary-01"]


def test_health_answers_without_a_key(clavero: Running) -> None:
    for path in ("/health/live", "/health/ready"):
        assert fetch(clavero.gateway + path, "GET", {}, None).status == 200


def test_a_second_instance_says_who_is_running(clavero: Running) -> None:
    done = subprocess.run(
        [*CLAVERO, "up", "--data-dir", str(clavero.data)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=clavero.environ,
    )
    assert done.returncode == 9
    assert f"pid {clavero.process.pid}" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_worker_has_loaded_neither_framework_nor_orm(clavero: Running) -> None:
    """Its own modules when it has served, since the memory of the running one is nobody's to read."""
    imported = "import clavero.entrypoints.gateway_main, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", imported], capture_output=True, text=True, timeout=30, check=True, env=clavero.environ
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "httptools" in loaded
    assert not loaded & {"fastapi", "starlette", "pydantic", "sqlalchemy", "dbos", "psycopg", "uvicorn", "jinja2"}


def test_ctrl_c_drains_and_a_second_start_goes_on_with_the_same_data(tmp_path: Path) -> None:
    first = start(tmp_path / "data")
    key = first.key
    request = first.chat().headers["x-request-id"]
    assert first.stop() == 0
    second = start(tmp_path / "data")
    try:
        assert second.key == key
        assert second.chat().status == 200
        assert wait_for(lambda: second.api("GET", f"/requests/{request}").status == 200)
    finally:
        assert second.stop() == 0


def test_children_die_with_their_supervisor(tmp_path: Path) -> None:
    running = start(tmp_path / "data")
    children = running.children()
    assert set(children) == {"gateway_main", "control_main", "simulator_main"}
    running.process.send_signal(signal.SIGKILL)
    running.process.wait(10)
    for pid in children.values():
        wait_for(
            lambda pid=pid: not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text().split()[2]
        )
    again = start(tmp_path / "data")
    try:
        assert again.chat().status == 200
    finally:
        again.stop()


def test_a_dead_worker_is_replaced(tmp_path: Path) -> None:
    running = start(tmp_path / "data")
    try:
        assert running.chat().status == 200
        old = running.children()["gateway_main"]
        subprocess.run(["kill", "-9", str(old)], check=True)
        wait_for(lambda: running.children().get("gateway_main") not in {None, old})

        def answers() -> bool:
            try:
                return bool(running.chat().status == 200)
            except OSError:
                return False

        assert wait_for(answers)
    finally:
        running.stop()


@pytest.mark.parametrize(
    ("prepare", "says"),
    [
        (lambda data: (data.mkdir(), (data / "lock").mkdir()), "cannot write"),
        (lambda data: data.write_text(""), "cannot write"),
    ],
)
def test_a_directory_that_cannot_be_used_is_one_line_and_a_remedy(
    tmp_path: Path, prepare: Callable[[Path], object], says: str
) -> None:
    prepare(tmp_path / "data")
    done = subprocess.run(
        [*CLAVERO, "up", "--data-dir", str(tmp_path / "data"), "--gateway-port", "0", "--admin-port", "0"],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env=clean_environ(tmp_path),
    )
    assert done.returncode == 7
    assert says in done.stderr
    assert "fix:" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_wrong_root_key_is_one_line_and_changes_nothing(tmp_path: Path) -> None:
    running = start(tmp_path / "data")
    running.stop()
    seal = tmp_path / "data" / "seal" / "root.key"
    kept = seal.read_bytes()
    seal.unlink()
    other = start(tmp_path / "other")
    other.stop()
    seal.write_bytes((tmp_path / "other" / "seal" / "root.key").read_bytes())
    seal.chmod(0o600)
    began = time.monotonic()
    done = subprocess.run(
        [*CLAVERO, "up", "--demo", "--data-dir", str(tmp_path / "data"), "--gateway-port", "0", "--admin-port", "0"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=clean_environ(tmp_path),
    )
    assert done.returncode == 7, done.stderr
    assert "[wrong_root_key]" in done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - began < 60
    seal.write_bytes(kept)
    again = start(tmp_path / "data")
    try:
        assert again.chat().status == 200
    finally:
        again.stop()
