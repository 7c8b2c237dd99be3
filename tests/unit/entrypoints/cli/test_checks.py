import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest

from clavero.entrypoints.cli.checks import clock_check, disk_check, foreign_startup, modes_check


@pytest.fixture(autouse=True)
def english(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")


@pytest.mark.parametrize(("free", "meaning"), [(50, "ok"), (4, "warn"), (0, "bad")])
def test_a_disk_that_is_nearly_full_is_told(
    free: int, meaning: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(total=100, free=free))
    assert disk_check(tmp_path).meaning == meaning


def test_the_disk_of_a_directory_that_is_not_there_yet_is_that_of_its_parent(tmp_path: Path) -> None:
    assert "free" in disk_check(tmp_path / "not" / "yet").text


def secured(data: Path) -> Path:
    (data / "seal").mkdir(parents=True)
    for name in ("admin.token", "seal/root.key", "clavero.db"):
        (data / name).write_text("")
        (data / name).chmod(0o600)
    data.chmod(0o700)
    return data


def test_a_data_directory_of_its_owner_alone_is_well(tmp_path: Path) -> None:
    assert [one.meaning for one in modes_check(secured(tmp_path / "d"))] == ["ok"]


@pytest.mark.parametrize(("name", "meaning"), [("", "bad"), ("admin.token", "warn"), ("seal/root.key", "warn")])
def test_what_others_can_reach_is_named_with_the_command_that_mends_it(name: str, meaning: str, tmp_path: Path) -> None:
    data = secured(tmp_path / "d")
    (data / name).chmod(0o755)
    (found,) = modes_check(data)
    assert found.meaning == meaning
    assert found.fix == f"chmod go= {data / name}"


def test_before_the_first_start_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    assert modes_check(tmp_path / "d")[0].meaning == "warn"


@pytest.mark.parametrize(
    ("date", "meaning"),
    [
        ("Thu, 01 Jan 1970 00:01:40 GMT", "ok"),
        ("Thu, 01 Jan 1970 00:01:44 GMT", "ok"),
        ("Thu, 01 Jan 1970 01:00:00 GMT", "warn"),
        ("", "warn"),
        ("soon", "warn"),
    ],
)
def test_clocks_that_are_apart_are_told(date: str, meaning: str) -> None:
    assert clock_check(date, 100 * 10**9).meaning == meaning


def test_an_unknown_file_that_runs_at_every_start_is_warned_of(tmp_path: Path) -> None:
    """The litellm 1.82.7 release held one; see FIELD, supply chain."""
    (tmp_path / "litellm_init.pth").write_text("import os; os.system('true')\n")
    found = foreign_startup([str(tmp_path)])
    assert found.meaning == "warn"
    assert "litellm_init.pth" in found.text


def test_a_file_that_adds_paths_alone_or_is_a_known_tools_is_well(tmp_path: Path) -> None:
    (tmp_path / "editable.pth").write_text("/somewhere/src\n# import x\n")
    (tmp_path / "distutils-precedence.pth").write_text("import os; x = 1\n")
    assert foreign_startup([str(tmp_path), str(tmp_path / "nowhere")]).meaning == "ok"


def test_this_installation_is_looked_at_unasked() -> None:
    assert foreign_startup().name == "packages"
