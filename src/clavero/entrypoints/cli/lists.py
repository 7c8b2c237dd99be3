"""Names in a row, as people give them: an option several times, or commas between."""

from collections.abc import Iterable


def names(given: Iterable[str]) -> tuple[str, ...]:
    """Each name once, in the order given."""
    return tuple(dict.fromkeys(name.strip() for one in given for name in one.split(",") if name.strip()))
