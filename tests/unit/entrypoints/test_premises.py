import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from clavero.domain.startup import Exit, StartFailure
from clavero.entrypoints.premises import Premises, bound_socket, unwritable, write_private


def test_the_directory_is_its_owners_alone(tmp_path: Path) -> None:
    with Premises(tmp_path / "data") as premises:
        assert stat.S_IMODE(premises.data.stat().st_mode) == 0o700
        assert (premises.data / "lock").read_text() == str(os.getpid())


def test_a_second_instance_says_who_is_running(tmp_path: Path) -> None:
    with Premises(tmp_path / "data") as premises:
        (premises.data / "run" / "ready.json").write_text('{"admin_url": "http://127.0.0.1:4142"}')
        with pytest.raises(StartFailure, match=f"pid {os.getpid()}") as caught, Premises(tmp_path / "data"):
            pass
        assert caught.value.exit_code is Exit.ALREADY_RUNNING
        assert "http://127.0.0.1:4142" in caught.value.fix


def test_the_lock_of_a_killed_instance_is_free(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from clavero.entrypoints.premises import Premises\n"
        "Premises(Path(sys.argv[1])).__enter__(); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "data")], check=False)
    with Premises(tmp_path / "data") as premises:
        assert (premises.data / "lock").read_text() == str(os.getpid())


def test_a_file_in_the_way_is_one_plain_line(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(StartFailure, match="cannot write") as caught, Premises(tmp_path / "data"):
        pass
    assert caught.value.code == "data_dir_unwritable"


def test_what_cannot_be_written_is_told_with_owner_and_mode(tmp_path: Path) -> None:
    failure = unwritable(tmp_path / "a" / "b", PermissionError(13, "Permission denied"))
    assert "permission denied" in failure.message
    assert f"{stat.S_IMODE(tmp_path.stat().st_mode):04o}" in failure.message


def test_port_0_is_settled_once_and_kept(tmp_path: Path) -> None:
    with Premises(tmp_path / "data") as premises:
        port = premises.hold_port(0, "gateway-port")
        assert port > 0
        with bound_socket(port) as child:
            child.listen()
            assert child.getsockname()[1] == port


def test_a_port_in_use_is_refused_with_the_flag_that_helps(tmp_path: Path) -> None:
    with socket.socket() as stranger, Premises(tmp_path / "data") as premises:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        with pytest.raises(StartFailure, match="in use") as caught:
            premises.hold_port(stranger.getsockname()[1], "admin-port")
        assert "--admin-port 0" in caught.value.fix


def test_a_port_that_is_asked_for_twice_is_refused(tmp_path: Path) -> None:
    with Premises(tmp_path / "data") as premises:
        port = premises.hold_port(0, "gateway-port")
        with pytest.raises(StartFailure, match="twice"):
            premises.hold_port(port, "admin-port")


def test_a_private_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text("before")
    write_private(path, b"after")
    assert path.read_bytes() == b"after"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [path]
