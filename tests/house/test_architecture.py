"""ARCHITECTURE.md names exactly the rooms that exist, in the order in which they may import each other."""

import re
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "clavero"
PAGE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")


def _told() -> list[str]:
    """The first column of the table of rooms."""
    within = PAGE.split("## The rooms")[1].split("\n## ")[0]
    return re.findall(r"^\| `([a-z_/]+)` \|", within, re.MULTILINE)


def _contracts() -> ConfigParser:
    parser = ConfigParser()
    parser.read(ROOT / ".importlinter", "utf-8")
    return parser


def _layers() -> list[list[str]]:
    return [line.split(" | ") for line in _contracts()["importlinter:contract:layers"]["layers"].strip().splitlines()]


def test_the_rooms_told_are_the_folders_and_files_that_exist() -> None:
    files = {path.stem for path in SOURCE.glob("*.py")} - {"__init__"}
    folders = {path.parent.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py")} - {"."}
    assert set(_told()) == files | folders
    assert len(_told()) == len(set(_told()))


def test_the_rooms_stand_in_the_order_of_the_layers() -> None:
    told = [room for room in _told() if "/" not in room]
    assert [sorted(layer) for layer in _layers()] == [
        sorted(told[start : start + len(layer)])
        for layer, start in zip(_layers(), _starts(), strict=True)
    ]  # fmt: skip


def test_each_contract_is_told_by_its_name() -> None:
    parser = _contracts()
    for section in parser.sections():
        if ":contract:" in section:
            assert f"**{parser[section]['name']}** (`{section.rpartition(':')[2]}`)" in PAGE


def test_the_stages_are_told_in_the_order_of_the_pipeline() -> None:
    way = PAGE.split("## The way of a request")[1].split("\n## ")[0]
    told = [way.index(f"`{stage}`") for stage in ("authenticate", "authorize", "route", "call", "reserve", "settle")]
    assert told == sorted(told)
    for stage in re.findall(r"`([a-z]+)`", way):
        assert (SOURCE / "gateway" / f"{stage}.py").exists() or (SOURCE / "control" / f"{stage}.py").exists(), stage


def _starts() -> list[int]:
    starts, at = [], 0
    for layer in _layers():
        starts.append(at)
        at += len(layer)
    return starts
