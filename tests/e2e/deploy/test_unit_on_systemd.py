"""The unit as it is shipped, run by systemd as first process of a machine of its own."""

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme
from tests.e2e.deploy.stage import UNIT, Stage, install, stage, why_not

pytestmark = [pytest.mark.systemd, pytest.mark.timeout(300)]
DEMO = "[Service]\nExecStart=\nExecStart=/opt/clavero/bin/clavero up --demo\n"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What stands in /opt/clavero."""
    if why := why_not():
        pytest.skip(why)
    return install(tmp_path_factory.mktemp("installed"))


def shipped(name: str) -> str:
    """A drop-in as it is shipped."""
    return (UNIT.parent / "clavero.service.d" / f"{name}.conf").read_text()


@pytest.fixture
def machine(tmp_path: Path, installed: Path, request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A machine with the unit, up."""
    with stage(tmp_path, installed, *getattr(request, "param", ())) as made:
        made.wait_for("ActiveState", "active")
        yield made


def clavero(machine: Stage, noun: str, *words: str) -> str:
    return machine.run("/opt/clavero/bin/clavero", noun, *words, "--data-dir", "/var/lib/clavero")


def processes(machine: Stage) -> list[dict[str, str]]:
    """What the kernel says of each process of the unit."""
    group = machine.show("ControlGroup")
    pids = machine.run("cat", f"/sys/fs/cgroup{group}/cgroup.procs").split()
    told = [machine.run("cat", f"/proc/{pid}/status") for pid in pids]
    return [dict(line.split(":\t", 1) for line in one.splitlines() if ":\t" in line) for one in told]


def test_the_unit_as_shipped_serves_and_systemd_knows_it(machine: Stage) -> None:
    assert machine.show("StatusText") == "gateway port 4141, workers 1, console port 4142"
    program = "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:4141/health/ready').status)"
    assert machine.run("python3", "-c", program).strip() == "200"
    told = json.loads(clavero(machine, "doctor", "--json"))
    assert not [check for check in told["checks"] if check["state"] == "bad"]


def test_no_process_of_the_unit_has_a_privilege_or_leaves_its_filter(machine: Stage) -> None:
    found = processes(machine)
    assert len(found) == 3  # supervisor, worker, control plane
    for one in found:
        assert one["Uid"].split()[0] != "0"
        assert one["CapEff"] == one["CapPrm"] == one["CapBnd"] == "0" * 16
        assert one["NoNewPrivs"] == "1"
        assert one["Seccomp"] == "2"
    assert machine.run("stat", "-c", "%a", "/var/lib/private/clavero").strip() == "700"


@pytest.mark.parametrize("machine", [({"demo": DEMO},)], indirect=True, ids=["demo"])
def test_a_call_goes_through_under_every_restriction_of_the_unit(machine: Stage) -> None:
    key = "@/var/lib/clavero/demo/header"
    body = '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}'
    program = (
        "import urllib.request as r; h=open('/var/lib/clavero/demo/header').read().strip().split(': ',1);"
        "q=r.Request('http://127.0.0.1:4141/v1/chat/completions',b'''%s''',"
        "{h[0]:h[1],'content-type':'application/json'}); a=r.urlopen(q); print(a.status,a.headers['x-request-id'])"
    )
    status, request_id = machine.run("python3", "-c", program % body).split()
    assert status == "200", key
    assert json.loads(clavero(machine, "trace", request_id, "--json"))["status"] == 200


def test_what_dies_is_started_again_with_all_it_knew(machine: Stage) -> None:
    clavero(machine, "key", "create", "prod-mail-01", "--owner", "asha")
    first = machine.show("MainPID")
    machine.run("sh", "-c", f"kill -9 {first}")
    machine.wait_for("NRestarts", "1")
    machine.wait_for("ActiveState", "active")
    assert machine.show("MainPID") != first
    assert len(processes(machine)) == 3  # none of the former life is left
    assert "prod-mail-01" in clavero(machine, "key", "list", "--json")


@pytest.mark.parametrize("machine", [({"watchdog": "[Service]\nWatchdogSec=3\n"},)], indirect=True, ids=["3s"])
def test_a_supervisor_whose_loop_stands_still_is_replaced_by_the_watchdog(machine: Stage) -> None:
    machine.run("sh", "-c", f"kill -STOP {machine.show('MainPID')}")
    machine.wait_for("NRestarts", "1")
    machine.wait_for("ActiveState", "active")


def test_a_stop_drains_and_is_no_failure(machine: Stage) -> None:
    machine.run("systemctl", "stop", "clavero", seconds=100)
    assert machine.show("Result") == "success"
    assert machine.show("ActiveState") == "inactive"
    assert machine.run("sh", "-c", "ls /var/lib/private/clavero/run").split() == []


@pytest.mark.parametrize(
    "machine",
    [({"passphrase": shipped("passphrase")}, {"passphrase": "correct horse battery staple 29\n"})],
    indirect=True,
    ids=["credential"],
)
def test_the_passphrase_is_handed_over_as_a_credential(machine: Stage) -> None:
    assert "salt" in json.loads(
        machine.run("cat", "/var/lib/private/clavero/seal/root.key")
    )  # it opens with a passphrase
    assert machine.run("stat", "-c", "%U %a", "/etc/clavero/passphrase").split() == ["root", "600"]
    for one in ("environ", "cmdline"):
        said = machine.run("sh", "-c", f"cat /proc/{machine.show('MainPID')}/{one}")
        assert "correct horse" not in said


def pair() -> dict[str, str]:
    """A certificate for this machine, and its key."""
    made = trustme.CA().issue_cert("127.0.0.1", "localhost")
    return {
        "tls/cert.pem": b"".join(one.bytes() for one in made.cert_chain_pems).decode(),
        "tls/key.pem": made.private_key_pem.bytes().decode(),
    }


@pytest.mark.parametrize("machine", [({"tls": shipped("tls")}, pair())], indirect=True, ids=["group"])
def test_tls_is_served_and_a_reload_shows_the_new_certificate(machine: Stage) -> None:
    fetch = "import ssl; print(ssl.get_server_certificate(('127.0.0.1', 4141)))"
    before = machine.run("/opt/clavero/bin/python", "-c", fetch)
    ssl.PEM_cert_to_DER_cert(before[before.index("-----BEGIN") :].strip())
    fresh, pid = pair(), machine.show("MainPID")
    for name, text in fresh.items():
        machine.run("sh", "-c", f"cat > /etc/clavero/{name} <<'PEM'\n{text}PEM\n")
    machine.run("systemctl", "reload", "clavero")
    machine.wait_for("ActiveState", "active")
    until = 100
    while machine.run("/opt/clavero/bin/python", "-c", fetch) == before and until:
        until -= 1
    assert until, machine.told()
    assert machine.show("MainPID") == pid
    assert clavero(machine, "doctor", "--ready")
