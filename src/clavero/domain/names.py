"""What a key may be called: `<env>-<service>[-<purpose>]-<nn>`, or a pattern of the operator's.

A refused name comes back with the rule and a name that would be taken: valid by the same pattern, and free.
"""

import re
import unicodedata
from collections.abc import Collection, Iterator

from msgspec import Struct

from clavero.domain.refusals import AlreadyExists, InvalidValue
from clavero.domain.secret import mask
from clavero.domain.startup import Exit, StartFailure

LONGEST = 63
PATTERN = (
    r"(?P<env>[a-z0-9]{2,8})-(?P<service>[a-z0-9]{1,40}?(?:-[a-z0-9]{1,40}){0,30}?)"
    r"(?:-(?P<purpose>[a-z0-9]{1,40}))?-(?P<nn>[0-9]{2,4})"
)
ENVIRONMENT_RULE = "2 to 8 of a-z and 0-9"
_ENVIRONMENT = re.compile(r"[a-z0-9]{2,8}", re.ASCII)
_PLAIN = re.compile(r"[a-z0-9]{1,40}(?:-[a-z0-9]{1,40}){0,15}", re.ASCII)
_DEFAULT_ENVIRONMENT = "dev"
_DEFAULT_SERVICE = "app"

# What people call their environments, and how it is written here.
_ENVIRONMENTS = {
    "prod": "prod", "production": "prod", "live": "prod", "prd": "prod",
    "staging": "staging", "stage": "staging", "stg": "staging", "preprod": "preprod",
    "dev": "dev", "develop": "dev", "development": "dev", "local": "dev", "sandbox": "sandbox",
    "test": "test", "testing": "test", "qa": "qa", "uat": "uat", "ci": "ci", "demo": "demo",
}  # fmt: skip


class NameParts(Struct, frozen=True):
    """What a name says; parts that its pattern does not have are empty."""

    env: str
    service: str
    purpose: str
    number: int


class NameRule(Struct, frozen=True):
    """A pattern with the groups `env`, `service`, `purpose` and `nn`, each optional, and how people read it."""

    pattern: str = PATTERN
    words: str = "<env>-<service>[-<purpose>]-<nn>, as in prod-support-chat-01"

    def read(self, name: str) -> NameParts | None:
        """The parts of a name that obeys; None for one that does not."""
        found = re.fullmatch(self.pattern, name, re.ASCII) if len(name) <= LONGEST else None
        if found is None or mask(name) != name:  # a key that was pasted in place of a name is no name
            return None
        parts = {group: value or "" for group, value in found.groupdict().items()}
        if not _ENVIRONMENT.fullmatch(parts.get("env") or _DEFAULT_ENVIRONMENT):
            return None  # it will stand in the key
        number = parts.get("nn", "")
        return NameParts(
            parts.get("env", ""),
            parts.get("service", ""),
            parts.get("purpose", ""),
            int(number) if number.isdigit() else 0,
        )


DEFAULT_RULE = NameRule()


def rule_of(pattern: str, words: str) -> NameRule:
    """The operator's rule, ours where the pattern is empty; StartFailure for a pattern that is none."""
    if not pattern:
        return DEFAULT_RULE
    try:
        re.compile(pattern, re.ASCII)
    except re.error as error:
        message = f"keys.name_pattern is no regular expression: {error}"
        raise StartFailure("bad_setting", message, "correct it, or leave it out for ours", Exit.USAGE) from None
    return NameRule(pattern, words or f"a name that matches {pattern}")


def read_name(name: str, rule: NameRule = DEFAULT_RULE, taken: Collection[str] = ()) -> NameParts:
    """The parts of a new name; `InvalidValue` or `AlreadyExists` with a suggestion for one that cannot be had."""
    parts = rule.read(name)
    if parts is None:
        raise InvalidValue("name", rule.words, suggestion(name, rule, taken))
    if name in taken:
        raise AlreadyExists("key", name, suggestion(name, rule, taken))
    return parts


def is_plain(name: str) -> bool:
    """Whether a service, team, project or provider may be called so: words of a-z and 0-9 with hyphens between."""
    return len(name) <= LONGEST and bool(_PLAIN.fullmatch(name)) and mask(name) == name


def is_environment(name: str) -> bool:
    """Whether an environment may be called so: it stands in the key."""
    return bool(_ENVIRONMENT.fullmatch(name))


def suggestion(name: str, rule: NameRule = DEFAULT_RULE, taken: Collection[str] = ()) -> str:
    """A free name that obeys and says what this one meant to; "" where we can make none for the operator's pattern."""
    words, number = _words(name)
    env, rest = _environment(words)
    taken = set(taken)
    for service in (rest, [_DEFAULT_SERVICE]):
        stem = "-".join([env, *service])[: LONGEST - 5].rstrip("-")
        for candidate in _numbered(stem, number):
            if candidate not in taken and rule.read(candidate):
                return candidate
    return ""


def _words(name: str) -> tuple[list[str], int]:
    """The words of a name in plain letters, and the number at its end; nothing of a key that was pasted."""
    name = "" if mask(name) != name else name[:200]
    hyphened = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name)
    plain = unicodedata.normalize("NFKD", hyphened).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]{1,40}", plain)[:8]
    if not words:
        return [], 1
    if re.fullmatch(r"[0-9]{1,3}", words[-1]):
        return words[:-1], max(1, int(words[-1]))
    if found := re.fullmatch(r"([a-z]+)0([1-9])", words[-1]):  # bot01
        return [*words[:-1], found[1]], int(found[2])
    if len(words) == 1:  # test123
        words = [words[0].rstrip("0123456789")] if words[0].rstrip("0123456789") else []
    return words, 1


def _environment(words: list[str]) -> tuple[str, list[str]]:
    """Which environment the words mean, and the words that are left for the service."""
    if not words:
        return _DEFAULT_ENVIRONMENT, [_DEFAULT_SERVICE]
    if len(words) == 1:
        alone = words[0]
        if alone in _ENVIRONMENTS and alone != "test":
            return _ENVIRONMENTS[alone], [_DEFAULT_SERVICE]
        return _DEFAULT_ENVIRONMENT, words
    for place, word in enumerate(words):
        if word in _ENVIRONMENTS:
            return _ENVIRONMENTS[word], words[:place] + words[place + 1 :]
    return _DEFAULT_ENVIRONMENT, words


def _numbered(stem: str, number: int) -> Iterator[str]:
    yield from (f"{stem}-{one:02d}" for one in (*range(number, 1000), *range(1, number)))
    yield stem  # a pattern of the operator's may want no number
