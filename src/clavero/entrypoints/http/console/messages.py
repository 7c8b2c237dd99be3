"""What the console says, in English and Spanish: one table for each language, the same keys in both.

A message is plain text with facts in braces; words between backquotes are code. A key that is not there is a mistake of
ours and raises, so that no page ever shows a key in place of a text.
"""

import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from babel import Locale
from markupsafe import Markup, escape

from clavero.domain.catalogue import Language

LANGUAGES: tuple[Language, ...] = ("en", "es")
_TABLES = Path(__file__).parent / "locale"
_CODE = re.compile("`([^`]*)`")


@cache
def table(language: Language) -> Mapping[str, str]:
    """Every message of a language by its key."""
    found: dict[str, str] = json.loads((_TABLES / f"{language}.json").read_text("utf-8"))
    return found


class Messages:
    """The messages of one language."""

    def __init__(self, language: Language) -> None:
        self.language = language
        self._table = table(language)
        self._plural = Locale.parse(language).plural_form

    def __call__(self, key: str, **facts: object) -> str:
        """The text with its facts; a fact `count` chooses between `key.one` and `key.other`."""
        return self._template(key, facts).format_map(facts)

    def rich(self, key: str, **facts: object) -> Markup:
        """The same for HTML: facts are escaped, words between backquotes are code."""
        template = str(escape(self._template(key, facts)))
        filled = template.format_map({name: escape(value) for name, value in facts.items()})
        return Markup(_CODE.sub(r"<code>\1</code>", filled))  # noqa: S704 - template and facts are escaped above

    def knows(self, key: str) -> bool:
        """Whether there is such a message."""
        return key in self._table

    def template(self, key: str) -> str:
        """The text with its braces."""
        return self._table[key]

    def _template(self, key: str, facts: Mapping[str, object]) -> str:
        count = facts.get("count")
        if f"{key}.other" not in self._table:
            return self._table[key]
        form = "one" if isinstance(count, int) and self._plural(count) == "one" else "other"
        return self._table[f"{key}.{form}"]
