"""What runs clavero in containers: linted, and held to what its documents promise."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

ROOT = Path(__file__).parents[3]
FOLDER = ROOT / "deploy" / "container"
CONTAINERFILE, COMPOSE = FOLDER / "Containerfile", FOLDER / "compose.yaml"
SERVICES = ("clavero", "database")


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    """The compose file, read."""
    found: dict[str, Any] = YAML(typ="safe").load(COMPOSE)
    return found


def final_stage() -> str:
    return CONTAINERFILE.read_text().rpartition("\nFROM ")[2]


@pytest.mark.parametrize(
    "words",
    [
        ["hadolint", "--failure-threshold", "style", str(CONTAINERFILE)],
        ["check-jsonschema", "--builtin-schema", "vendor.compose-spec", str(COMPOSE)],
    ],
    ids=["containerfile", "compose"],
)
def test_the_linters_find_no_fault(words: list[str]) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / words[0]), *words[1:]],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_image_runs_as_nobody_special_and_has_no_tool_to_build_with() -> None:
    stage = final_stage()
    (user,) = re.findall(r"^USER (\S+)$", stage, re.MULTILINE)
    assert all(part.isdecimal() and int(part) > 9999 for part in user.split(":"))
    for tool in ("gcc", "build-essential", "python3-dev", "python3-pip", "git ", "curl", "wget"):
        assert tool not in stage, tool
    assert "\nADD " not in CONTAINERFILE.read_text()


def test_nothing_is_installed_whose_hash_was_not_locked() -> None:
    steps = re.split(r"&&|\n", CONTAINERFILE.read_text().replace("\\\n", " "))
    installs = [step for step in steps if re.search(r"pip (install|sync)", step)]
    assert len(installs) == 3
    for step in installs:
        hashed = "--require-hashes" in step and "--only-binary :all:" in step
        own = "--no-deps" in step and "--offline" in step and "dist/*.whl" in step
        assert hashed or own, step


def test_what_is_copied_is_let_through_and_nothing_else() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", CONTAINERFILE.read_text(), re.MULTILINE)
    wanted = {name for line in copied for name in line.split()}
    ignored = (FOLDER / "Containerfile.dockerignore").read_text().splitlines()
    assert ignored[0] == "*"
    assert {line[1:] for line in ignored if line.startswith("!")} == wanted
    assert all((ROOT / name).exists() for name in wanted)


def test_health_is_asked_by_the_product_itself() -> None:
    (asked,) = re.findall(r"HEALTHCHECK .*CMD \[(.+)\]", final_stage())
    words = [word.strip(' "') for word in asked.split(",")]
    assert words[0] == "clavero"
    help_ = subprocess.run(
        [sys.executable, "-m", *words[:2], "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert all(word in help_ for word in words[2:])


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_write_and_do_as_little_as_it_needs(compose: dict[str, Any], name: str) -> None:
    service = compose["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.keys() & {"privileged", "cap_add", "network_mode", "pid", "ipc", "devices", "userns_mode"}
    assert not any(str(volume).startswith(("/", ".", "~")) for volume in service["volumes"])
    assert service["pids_limit"]
    assert service["mem_limit"]


def test_the_gateway_alone_has_a_way_out(compose: dict[str, Any]) -> None:
    assert compose["networks"]["inside"]["internal"] is True
    assert compose["services"]["database"]["networks"] == ["inside"]
    assert "ports" not in compose["services"]["database"]
    assert set(compose["services"]["clavero"]["networks"]) == {"inside", "outside"}
    console = [port for port in compose["services"]["clavero"]["ports"] if port.endswith(":4142")]
    assert console == ["127.0.0.1:4142:4142"]


def test_secrets_come_as_files_and_stand_nowhere_else(compose: dict[str, Any]) -> None:
    given = set(compose["secrets"])
    for name in SERVICES:
        service = compose["services"][name]
        assert set(service["secrets"]) <= given
        for variable, value in service["environment"].items():
            secret = re.search(r"(PASSWORD|PASSPHRASE|SECRET|TOKEN|DATABASE_URL|TLS_KEY)", variable)
            assert not secret or value.startswith("/run/secrets/"), variable
            if value.startswith("/run/secrets/"):
                assert value.rpartition("/")[2] in service["secrets"]
    assert all(place["file"].startswith("./secrets/") for place in compose["secrets"].values())
    ignored = subprocess.run(
        ["git", "check-ignore", "deploy/container/secrets/passphrase"], cwd=ROOT, capture_output=True, check=False
    )
    assert ignored.returncode == 0


def test_whoever_waits_for_the_database_waits_until_it_answers(compose: dict[str, Any]) -> None:
    assert compose["services"]["clavero"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    assert compose["services"]["database"]["healthcheck"]["test"][0] == "CMD-SHELL"


def test_the_command_and_its_settings_are_known_to_this_clavero(compose: dict[str, Any], tmp_path: Path) -> None:
    from clavero.settings import read

    service = compose["services"]["clavero"]
    flags = {
        word.removeprefix("--").replace("-", ".", 1): service["command"][place + 1]
        for place, word in enumerate(service["command"])
        if word.startswith("--")
    }
    url = tmp_path / "database-url"
    url.write_text("postgresql://clavero:x@database/clavero\n")
    environ = {**service["environment"], "DATABASE_URL_FILE": str(url)}
    settings, _ = read(flags, environ, tmp_path / "none.toml")
    assert settings.gateway.host == "0.0.0.0"
    assert settings.tls.key == "/run/secrets/tls-key.pem"
    assert settings.vault.passphrase_file == "/run/secrets/passphrase"
