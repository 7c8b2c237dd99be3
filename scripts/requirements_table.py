"""Which capabilities a test proves: the titles of `docs/requirements.toml` beside the marks `requirement(N)` in tests.

The marks are read from the source, so nothing runs; whether the tests pass is what `make test` says.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
TITLES = Path("docs/requirements.toml")
TESTS = Path("tests")


@dataclass(frozen=True)
class Requirement:
    """One capability, and the tests that say they prove it (`path::name`)."""

    number: int
    groups: tuple[str, ...]
    title: str
    proofs: tuple[str, ...] = ()


class UnknownRequirement(Exception):
    """A test claims to prove a number that there is none of."""


def marks(folder: Path) -> Iterator[tuple[int, str]]:
    """The number and the test of each mark under a folder; a mark on a class or module stands for all of it."""
    for path in sorted(folder.rglob("test_*.py")):
        name = path.relative_to(folder.parent).as_posix()
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                    marked, where = list(node.decorator_list), f"{name}::{node.name}"
                case ast.Assign(targets=[ast.Name(id="pytestmark")], value=value):
                    marked, where = list(value.elts) if isinstance(value, ast.List) else [value], name
                case _:
                    continue
            yield from ((number, where) for mark in marked for number in _numbers(mark))


def table(root: Path) -> list[Requirement]:
    """Every requirement with its proofs, by number; `UnknownRequirement` for a mark without a title."""
    written = tomllib.loads((root / TITLES).read_text("utf-8"))["requirements"]
    proofs: dict[int, list[str]] = {int(number): [] for number in written}
    for number, where in marks(root / TESTS):
        if number not in proofs:
            raise UnknownRequirement(f"{where} claims requirement {number}; {TITLES} has none")
        proofs[number].append(where)
    return [
        Requirement(int(number), tuple(row["groups"]), row["title"], tuple(proofs[int(number)]))
        for number, row in sorted(written.items(), key=lambda one: int(one[0]))
    ]


def lines(found: list[Requirement], groups: dict[str, str]) -> Iterator[str]:
    """The table as it is printed, proved ones with their first proof, then the counts by group."""
    for one in found:
        sign, more = ("+", f"  (+{len(one.proofs) - 1})" if len(one.proofs) > 1 else "") if one.proofs else ("-", "")
        yield f"{sign} {one.number:>3}  {'/'.join(one.groups):<3}  {one.title}"
        if one.proofs:
            yield f"            {one.proofs[0]}{more}"
    yield ""
    for group, title in groups.items():
        within = [one for one in found if group in one.groups]
        yield f"{group}  {title:<34} {sum(bool(one.proofs) for one in within):>3} of {len(within)} proved"
    yield f"   {'all':<34} {sum(bool(one.proofs) for one in found):>3} of {len(found)} proved"


def main() -> int:
    """Print the table; 1 where a test claims a number that there is none of."""
    groups = tomllib.loads((ROOT / TITLES).read_text("utf-8"))["groups"]
    try:
        found = table(ROOT)
    except UnknownRequirement as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print("\n".join(lines(found, groups)))
    return 0


def _numbers(mark: ast.expr) -> Iterator[int]:
    """The numbers of `pytest.mark.requirement(1, 2)`; none for anything else."""
    match mark:
        case ast.Call(func=ast.Attribute(attr="requirement"), args=arguments):
            yield from (one.value for one in arguments if isinstance(one, ast.Constant) and isinstance(one.value, int))


if __name__ == "__main__":
    sys.exit(main())
