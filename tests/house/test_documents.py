"""The documents say what is there: generated pages equal the code, links lead somewhere, commands exist."""

import ast
import re
import tomllib
from pathlib import Path

import pytest
from scripts.generate_docs import PAGES, ROOT

from clavero.domain.tokens import checksum_ok, provider_key
from clavero.entrypoints.cli.app import NOUNS, VERBS
from clavero.settings import PREFIX, read

DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "changes").glob("*.md")])
SOURCES = sorted([*(ROOT / "src").rglob("*.py"), *(ROOT / "tests").rglob("*.py")])
OTHER_VARIABLES = {"CLAVERO_URL", "CLAVERO_ADMIN_TOKEN_FILE", "CLAVERO_CA_FILE"}
SUPERLATIVES = r"\b(best|fastest|blazing|world-class|seamless(?:ly)?|effortless(?:ly)?|simply|just|easily)\b"


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _commands(text: str) -> set[str]:
    """What the documents call, as far as words of the command line go: `clavero key create`."""
    lines = re.findall(r"(?:^\$ |`|; )(?:\.venv/bin/)?clavero ([a-z][a-z ]*)", text, re.MULTILINE)
    return {line.strip() for line in lines}


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_the_code_says(name: str) -> None:
    assert (ROOT / name).read_text("utf-8") == PAGES[name](), "make docs"


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_links_lead_to_files_that_exist(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text("utf-8")):
        assert "://" in target or (path.parent / target).exists(), target


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_commands_in_documents_exist(path: Path) -> None:
    for words in _commands(path.read_text("utf-8")):
        first, _, rest = words.partition(" ")
        verb = rest.partition(" ")[0]
        assert first in VERBS or verb in ["", *NOUNS[first][1].split()], words


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_words_of_make_in_documents_exist(path: Path) -> None:
    known = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    said = re.findall(r"(?:^\$ |`)make ([a-z]+)", path.read_text("utf-8"), re.MULTILINE)
    assert set(said) <= known


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_variables_in_documents_are_settings(path: Path) -> None:
    known = {PREFIX + one.name.upper().replace(".", "_") for one in read({}, {})[1]} | OTHER_VARIABLES
    assert set(re.findall(rf"\b{PREFIX}[A-Z_]+[A-Z]\b", path.read_text("utf-8"))) <= known


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_no_document_holds_a_key_that_could_be_one(path: Path) -> None:
    text = path.read_text("utf-8")
    found = re.findall(r"\bclv[katbw]_[a-z0-9]{2,8}_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}\b", text)
    assert not [key for key in found if checksum_ok(key)]
    assert not [word for word in re.split(r"[\s`\"'()]+", text) if provider_key(word)]


@pytest.mark.parametrize("path", DOCUMENTS, ids=_name)
def test_documents_state_facts(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(SUPERLATIVES, text, re.IGNORECASE)
    assert not re.search("[\U0001f300-\U0001faff]", text), "an emoji"
    assert "img.shields.io" not in text


def test_every_rule_that_code_cites_is_told() -> None:
    told = set(re.findall(r"\*\*(L\d+)\*\*", (ROOT / "docs/explanation/ledger.md").read_text("utf-8")))
    cited = {rule for path in SOURCES for rule in re.findall(r"\bL\d{1,2}\b", path.read_text("utf-8"))}
    assert cited <= told


def test_every_dependency_has_its_reason() -> None:
    lines = (ROOT / "requirements/run.in").read_text("utf-8").splitlines()
    wanted = {line.partition("[")[0].strip() for line in lines if line and not line.startswith("#")}
    page = (ROOT / "docs/adr/0002-dependencies.md").read_text("utf-8")
    assert wanted <= set(re.findall(r"^\| ([a-z0-9-]+) \|", page, re.MULTILINE))


def test_every_decision_is_in_the_list_of_decisions() -> None:
    folder = ROOT / "docs/adr"
    listed = set(re.findall(r"\((\d{4}-[a-z-]+\.md)\)", (folder / "README.md").read_text("utf-8")))
    assert listed == {path.name for path in folder.glob("0*.md")}


def test_both_languages_of_the_readme_show_the_same_commands() -> None:
    english, spanish = ((ROOT / name).read_text("utf-8") for name in ("README.md", "README.es.md"))
    blocks = re.compile(r"```\w+\n(.*?)```", re.DOTALL)
    assert blocks.findall(english) == blocks.findall(spanish)
    assert english.count("\n## ") == spanish.count("\n## ")


def test_fragments_are_named_after_their_kind() -> None:
    kinds = {"added", "changed", "fixed", "removed", "security"}
    for path in (ROOT / "changes").glob("*.md"):
        assert path.name == "README.md" or path.name.split(".")[1] in kinds, path.name


def test_every_requirement_marked_in_a_test_has_a_title() -> None:
    titles = tomllib.loads((ROOT / "docs/requirements.toml").read_text("utf-8"))["requirements"]
    for path in (ROOT / "tests").rglob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "requirement":
                assert {str(one.value) for one in node.args if isinstance(one, ast.Constant)} <= set(titles), path
