"""Every code with its fact, its usual cause and its remedy, in English and Spanish.

The words stand in `catalogue_en` and `catalogue_es`; the English fact of a problem is the docstring of its class, so
that it is written once. What HTTP status a code has is not this module's business.
"""

import difflib
import string
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

from msgspec import Struct

from clavero.domain.catalogue_en import ENGLISH
from clavero.domain.catalogue_es import SPANISH
from clavero.domain.errors import Problem
from clavero.domain.money import NANO
from clavero.domain.secret import mask
from clavero.domain.units import money

Language = Literal["en", "es"]
Facts = Mapping[str, object]

_WORDS = {"en": ENGLISH, "es": SPANISH}
_MONEY = frozenset({"left", "worst", "ceiling"})  # facts that may be nano-USD, written as the language does
_UNKNOWN = "…"
_LONGEST_FACT = 300


class Entry(Struct, frozen=True):
    """One code in one language. `otherwise` is the remedy where a fact that `fix` wants is not known."""

    code: str
    fact: str
    cause: str
    fix: str
    otherwise: str = ""

    def explained(self) -> "Entry":
        """The same with its placeholders as an ellipsis, for people who look a code up."""
        return Entry(self.code, _fill(self.fact, {}), self.cause, self.otherwise or _fill(self.fix, {}))


def problems() -> dict[str, type[Problem]]:
    """Every class of problem by its code, in the order in which they are written."""
    found: dict[str, type[Problem]] = {}
    waiting = list(Problem.__subclasses__())
    while waiting:
        kind = waiting.pop(0)
        found[kind.code] = kind
        waiting += kind.__subclasses__()
    return found


def codes() -> list[str]:
    """Every code that has an entry."""
    return sorted(ENGLISH)


@lru_cache(maxsize=512)
def entry(code: str, language: Language) -> Entry | None:
    """The entry of a code; None where there is no such code."""
    words = _WORDS[language].get(code)
    if words is None:
        return None
    fact, cause, fix, *otherwise = words
    return Entry(code, fact or _docstring(code), cause, fix, *otherwise)


def nearest(code: str) -> str:
    """The code that was probably meant; "" where none is near."""
    return next(iter(difflib.get_close_matches(code.lower(), ENGLISH, 1, 0.5)), "")


def fact_and_fix(problem: Problem, language: Language, **more: object) -> tuple[str, str]:
    """What happened and what to do, each a whole sentence, its facts filled in and masked."""
    found = entry(problem.code, language)
    facts = {**problem.facts, **more}
    known_facts = {name: value for name, value in facts.items() if value is not None}
    shown = {name: text for name, value in known_facts.items() if (text := _shown(name, value, language))}
    if found is None:
        return _sentence(str(problem)), ""
    known = _placeholders(found.fix) <= shown.keys()
    fix = found.fix if known or not found.otherwise else found.otherwise
    return _sentence(_fill(found.fact, shown)), _sentence(_fill(fix, shown))


def _shown(name: str, value: object, language: Language) -> str:
    if name in _MONEY and isinstance(value, int):
        return money(value, 2 if value >= NANO else 6, language)
    text = "".join(letter if letter.isprintable() else " " for letter in mask(str(value)))
    return text if len(text) <= _LONGEST_FACT else text[:_LONGEST_FACT] + _UNKNOWN


def _docstring(code: str) -> str:
    kind = problems().get(code)
    return (kind.__doc__ or "").rstrip(".") if kind else ""


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", _UNKNOWN)) else f"{text}."


def _placeholders(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


def _fill(template: str, facts: Mapping[str, str]) -> str:
    return template.format_map({name: facts.get(name, _UNKNOWN) for name in _placeholders(template)})
