"""Starting, watching and ending, as real processes."""

import signal
import subprocess
from pathlib import Path

from tests.e2e.running import CLAVERO, Running, start, wait_for


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
