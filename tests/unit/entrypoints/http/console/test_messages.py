"""Both languages say the same things, and pages say nothing that is not in the tables."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from clavero.entrypoints.http.console import messages
from clavero.entrypoints.http.console.messages import LANGUAGES, Messages, table

ROOM = Path(messages.__file__).parent
TEMPLATES = sorted((ROOM / "templates").glob("*.html"))
FACTS = re.compile(r"\{(\w*)\}")
UNTRANSLATED = {"clavero", "UTC", "USD", "s", "v", "j", "k", "c", "f", "r", "Enter"}  # names, units and keys
CALLED = re.compile(r"""\b(?:t|rich|words)\(\s*["']([a-z0-9_.]+)["'](?!\s*~)""")
MADE = re.compile(r"""["']([a-z_]+\.(?:[a-z_.]*[._])?)(?:["']\s*[~+]|\{)""")  # "state." ~ x, f"state.{x}"


def test_both_languages_have_the_same_keys_in_the_same_order() -> None:
    assert list(table("en")) == list(table("es"))


@pytest.mark.parametrize("key", list(table("en")))
def test_a_message_wants_the_same_facts_in_both_languages(key: str) -> None:
    assert set(FACTS.findall(table("en")[key])) >= set(FACTS.findall(table("es")[key]))
    assert table("es")[key].strip()


def test_spanish_is_spanish() -> None:
    same = {key for key in table("en") if table("en")[key] == table("es")[key]}
    figures = {"figure.p95", "col.spend_30d"}  # units alone
    assert not {key for key in same - figures if len(table("en")[key].split()) > 2}


def test_no_message_shouts_begs_or_praises_itself() -> None:
    for language in LANGUAGES:
        for text in table(language).values():
            assert not re.search(r"!|\bplease\b|\bpor favor\b|successfully|vosotros", text, re.IGNORECASE), text


def _sources() -> str:
    files = [*TEMPLATES, *ROOM.glob("*.py")]
    return "\n".join(path.read_text("utf-8") for path in files)


def test_every_message_that_is_asked_for_exists() -> None:
    known = set(table("en")) | {key.rpartition(".")[0] for key in table("en") if key.endswith((".one", ".other"))}
    assert not {key for key in CALLED.findall(_sources()) if "." in key[:-1] and not key.endswith(".")} - known


def test_every_message_is_asked_for_somewhere() -> None:
    source = _sources()
    stems = tuple(MADE.findall(source))
    plain = {key.removesuffix(".one").removesuffix(".other") for key in table("en")}
    asked = {key for key in plain if f'"{key}"' in source or f"'{key}'" in source or key.startswith(stems)}
    unused = plain - asked
    assert not unused


class _Texts(HTMLParser):
    """What a reader of a template would read, less what is filled in."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_data(self, data: str) -> None:
        self.found.append(data)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        spoken = {"title", "aria-label", "placeholder", "alt"}
        self.found += [value for name, value in attrs if name in spoken and value]


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_text_of_a_template_is_untranslated(path: Path) -> None:
    text = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", path.read_text("utf-8"), flags=re.DOTALL)
    reader = _Texts()
    reader.feed(re.sub(r"(?m)^ *aria-.*$| aria-[a-z]+=\"[^\"]*\"$", "", text))
    words = {word for found in reader.found for word in re.findall(r"[^\W\d_]+", found)}
    examples = {"gpt", "o", "mini", "claude", "prod", "support", "chat"}  # what a field could hold
    assert not words - UNTRANSLATED - examples


def test_a_count_chooses_the_form() -> None:
    words = Messages("es")
    assert words("keys.total", count=1, number="1") == "1 clave"
    assert words("keys.total", count=2, number="2") == "2 claves"
    assert Messages("en")("keys.total", count=0, number="0") == "0 keys"


def test_facts_in_html_are_escaped_and_backquotes_are_code() -> None:
    said = Messages("en").rich("ask.type", name="<b>x</b>")
    assert said == "Type <code>&lt;b&gt;x&lt;/b&gt;</code> to confirm"


def test_a_message_that_is_not_there_is_our_mistake() -> None:
    with pytest.raises(KeyError):
        Messages("en")("no.such")
    assert not Messages("en").knows("no.such")
    assert Messages("en").template("place.home") == "Home"
