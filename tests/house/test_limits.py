"""The limits of the house that no linter knows: file and function length, mirrors, no await while leaving."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "clavero"
FILES = sorted(SOURCE.rglob("*.py"))
TABLES_OF_DATA = {"domain/catalogue_es.py", "domain/catalogue_en.py"}  # excepted by name
LONGEST_FILE = 400
LONGEST_FUNCTION = 50
UNMIRRORED = {"__init__.py", "__main__.py"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_no_file_is_longer_than_400_lines(path: Path) -> None:
    assert _name(path) in TABLES_OF_DATA or len(path.read_text().splitlines()) <= LONGEST_FILE


@pytest.mark.parametrize("path", FILES, ids=_name)
def test_no_function_is_longer_than_50_lines(path: Path) -> None:
    tree = ast.parse(path.read_text())
    long = [
        f"{node.name}: {node.end_lineno - node.lineno + 1}"
        for node in ast.walk(tree)
        if isinstance(node, Function) and node.end_lineno and node.end_lineno - node.lineno >= LONGEST_FUNCTION
    ]
    assert not long


@pytest.mark.parametrize("path", [p for p in FILES if p.name not in UNMIRRORED], ids=_name)
def test_every_module_has_its_test_file(path: Path) -> None:
    name = path.relative_to(SOURCE)
    mirrored = [
        ROOT / "tests" / tier / name.parent / f"test_{name.stem}.py" for tier in ("unit", "contract", "flow", "e2e")
    ]
    logic = any(isinstance(node, Function) for node in ast.walk(ast.parse(path.read_text())))
    assert not logic or name.parts[0] == "ports" or any(p.exists() for p in mirrored), f"wanted: {mirrored[0]}"


def _awaits(nodes: list[ast.stmt]) -> list[int]:
    return [node.lineno for statement in nodes for node in ast.walk(statement) if isinstance(node, ast.Await)]


@pytest.mark.parametrize("path", sorted((SOURCE / "gateway").rglob("*.py")), ids=_name)
def test_leaving_the_request_path_awaits_nothing(path: Path) -> None:
    tree = ast.parse(path.read_text())
    finals = [line for node in ast.walk(tree) if isinstance(node, ast.Try) for line in _awaits(node.finalbody)]
    leaving = [
        line
        for node in ast.walk(tree)
        if isinstance(node, Function) and node.name in {"__exit__", "record"}
        for line in _awaits(list(node.body))
    ]
    assert not finals
    assert not leaving


def test_sql_is_never_made_of_f_strings() -> None:
    words = ("select ", "insert ", "update ", "delete ")
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.JoinedStr) and node.values and isinstance(node.values[0], ast.Constant):
                text = str(node.values[0].value).lstrip().lower()
                assert not text.startswith(words), f"{path}:{node.lineno}"


def test_only_settings_reads_the_environment() -> None:
    for path in FILES:
        if _name(path) == "settings.py":
            continue
        assert "os.environ" not in path.read_text(), path
