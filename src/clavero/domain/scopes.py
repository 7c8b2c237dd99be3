"""What may stand in the fields of a key or provider: each rule is one function that gives the value back, or refuses.

A value that looks like a key is refused wherever it stands: it was pasted into the wrong field.
"""

import difflib
import re
from collections.abc import Iterable

from clavero.domain.endpoints import Endpoint
from clavero.domain.refusals import InvalidValue
from clavero.domain.secret import Secret, mask
from clavero.domain.tokens import read

MOST = 200  # entries of one list
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,198}\*?|\*", re.ASCII)
_FEATURE = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}", re.ASCII)
_SECRET = re.compile(r"[!-~]{1,8192}", re.ASCII)
_ENDPOINTS = [str(one) for one in Endpoint]


def models(wanted: Iterable[str], field: str = "models") -> tuple[str, ...]:
    """Names of models, or patterns that end in `*`, each once, as given."""
    return _each(wanted, field, _MODEL, "names of models, with * at the end alone")


def model(name: str, field: str = "name") -> str:
    """One name of a model, no pattern."""
    if not _MODEL.fullmatch(name) or name.endswith("*") or mask(name) != name:
        raise InvalidValue(field, "the name of a model, such as gpt-4o-mini")
    return name


def endpoints(wanted: Iterable[str], field: str = "endpoints") -> tuple[str, ...]:
    """Endpoints that there are, each once."""
    found = tuple(dict.fromkeys(str(one) for one in wanted))
    for one in found:
        if one not in _ENDPOINTS:
            near = next(iter(difflib.get_close_matches(one[:40], _ENDPOINTS, 1, 0.5)), "")
            raise InvalidValue(field, f"among {', '.join(_ENDPOINTS)}", near)
    return found


def features(wanted: Iterable[str], field: str = "features") -> tuple[str, ...]:
    """Names of features, each once."""
    return _each(wanted, field, _FEATURE, "names of a-z, 0-9, dot, hyphen and underscore, at most 64 long")


def words(text: str, field: str, longest: int, *, needed: str = "") -> str:
    """A line that people wrote; `needed` says the rule of one that may not be empty."""
    line = text.strip()
    if needed and not line:
        raise InvalidValue(field, needed)
    if len(line) > longest or not line.isprintable() or mask(line) != line:
        raise InvalidValue(field, f"one line of at most {longest} characters, and no key")
    return line


def provider_secret(secret: Secret) -> Secret:
    """A provider's key as it can stand in a header; white space around it goes, a key of ours is refused."""
    value = secret.reveal().strip()
    if not _SECRET.fullmatch(value):
        raise InvalidValue("secret", "the provider's key: visible ASCII, without spaces")
    if read(value) is not None:
        raise InvalidValue("secret", "the provider's key; this is a key of clavero")
    return Secret(value)


def _each(wanted: Iterable[str], field: str, form: re.Pattern[str], rule: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(wanted))
    if len(found) > MOST:
        raise InvalidValue(field, f"at most {MOST}")
    if any(not form.fullmatch(one) or mask(one) != one for one in found):
        raise InvalidValue(field, rule)
    return found
