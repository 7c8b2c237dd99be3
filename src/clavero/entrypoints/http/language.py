"""The language of an answer, by Accept-Language (RFC 9110 section 12.5.4): Spanish where preferred, else English."""

from clavero.domain.catalogue import Language

_LONGEST = 256


def language_of(accepted: str) -> Language:
    """`es` or `en`; the first of equal weight wins, and what cannot be read counts nothing."""
    best: Language = "en"
    highest = 0.0
    for part in accepted[:_LONGEST].split(","):
        tag, _, parameter = part.partition(";")
        name = tag.strip().lower().partition("-")[0]
        weight = _weight(parameter)
        if weight > highest and name in {"en", "es"}:
            best, highest = ("es" if name == "es" else "en"), weight
    return best


def _weight(parameter: str) -> float:
    name, _, value = parameter.strip().partition("=")
    if not name:
        return 1.0
    try:
        weight = float(value) if name.strip().lower() == "q" else 0.0
    except ValueError:
        return 0.0
    return weight if 0 <= weight <= 1 else 0.0
