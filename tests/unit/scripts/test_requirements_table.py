"""What the table of requirements counts as a proof."""

from pathlib import Path

import pytest
from scripts.requirements_table import ROOT, UnknownRequirement, lines, marks, table

TITLES = """
[groups]
A = "main job"
[requirements]
1 = { groups = ["A"], title = "One" }
2 = { groups = ["A", "B"], title = "Two" }
10 = { groups = ["B"], title = "Ten" }
"""
TESTS = """
import pytest
pytestmark = [pytest.mark.nightly, pytest.mark.requirement(10)]

@pytest.mark.requirement(1, 2)
async def test_both(): ...

@pytest.mark.requirement(2)
class TestMore:
    def test_within(self): ...

def test_other():
    "requirement(1) in a text is no mark"
"""


def house(folder: Path, tests: str = TESTS) -> Path:
    (folder / "docs").mkdir()
    (folder / "docs" / "requirements.toml").write_text(TITLES)
    (folder / "tests" / "deep").mkdir(parents=True)
    (folder / "tests" / "deep" / "test_some.py").write_text(tests)
    return folder


def test_marks_on_functions_classes_and_modules_count(tmp_path: Path) -> None:
    found = set(marks(house(tmp_path) / "tests"))
    name = "tests/deep/test_some.py"
    assert found == {(10, name), (1, f"{name}::test_both"), (2, f"{name}::test_both"), (2, f"{name}::TestMore")}


def test_a_number_without_a_mark_is_unproved_and_counted(tmp_path: Path) -> None:
    found = table(house(tmp_path, TESTS.replace("requirement(10)", "skip")))
    assert [(one.number, len(one.proofs)) for one in found] == [(1, 1), (2, 2), (10, 0)]
    printed = list(lines(found, {"A": "main job", "B": "wires"}))
    assert "+   1  A    One" in printed
    assert "-  10  B    Ten" in printed
    assert printed[-1].endswith("2 of 3 proved")
    assert printed[-2].endswith("1 of 2 proved")


def test_a_mark_without_a_title_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownRequirement, match="claims requirement 3"):
        table(house(tmp_path, TESTS.replace("requirement(10)", "requirement(3)")))


def test_the_house_itself_has_120_titles_and_marks_that_exist() -> None:
    found = table(ROOT)
    assert [one.number for one in found] == list(range(1, 121))
    assert any(one.proofs for one in found)
