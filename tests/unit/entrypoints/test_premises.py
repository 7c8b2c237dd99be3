import errno
import os
import socket
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from clavero.domain.startup import Exit, StartFailure
from clavero.entrypoints.premises import Premises, bound_socket, not_bound, unwritable, write_private


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


@pytest.mark.parametrize(
    ("number", "code"),
    [(errno.EACCES, "port_forbidden"), (errno.EADDRNOTAVAIL, "address_not_here"), (errno.EADDRINUSE, "port_in_use")],
)
def test_why_a_port_is_not_ours_is_said_as_it_is(number: int, code: str) -> None:
    failure = not_bound(OSError(number, "x"), "10.0.0.7", 443, "gateway-port")
    assert failure.code == code
    assert "--gateway-" in failure.fix


def test_an_address_of_another_machine_is_no_port_in_use(tmp_path: Path) -> None:
    with Premises(tmp_path / "data") as premises, pytest.raises(StartFailure, match=r"192\.0\.2\.1") as caught:
        premises.hold_port(0, "gateway-port", "192.0.2.1")
    assert caught.value.code == "address_not_here"


def test_a_privileged_port_is_forbidden_not_in_use(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from clavero.entrypoints.premises import Premises\n"
        "premises = Premises(Path(sys.argv[1])); premises.__enter__()\n"
        "if os.getuid() == 0: os.setuid(65534)\n"
        "try: premises.hold_port(81, 'gateway-port')\n"
        "except Exception as failure: print(failure.code)\n"
    )
    if int(Path("/proc/sys/net/ipv4/ip_unprivileged_port_start").read_text()) <= 81:
        pytest.skip("this machine has no privileged ports")
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "d")], check=False, capture_output=True, text=True
    )
    assert done.stdout == "port_forbidden\n", done.stderr


@pytest.mark.parametrize("host", ["::1", "::", "0.0.0.0"])
def test_a_port_is_held_on_the_address_that_was_asked_for(host: str, tmp_path: Path) -> None:
    with Premises(tmp_path / "data") as premises:
        port = premises.hold_port(0, "gateway-port", host)
        with (
            bound_socket(port, host) as child,
            socket.socket(socket.AF_INET6 if host == "::1" else socket.AF_INET) as caller,
        ):
            child.listen()
            caller.connect(("::1" if host == "::1" else "127.0.0.1", port))
