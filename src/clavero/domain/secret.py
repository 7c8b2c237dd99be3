"""Secrets: a type that never shows what it holds, and a mask for text that might.

The mask knows the formats of our own keys and of the providers' named in the documentation; sinks for logs, errors and
traces pass their text through it besides, since a secret may arrive inside somebody else's message.
"""

import hmac
import re
from collections.abc import MutableMapping
from typing import Any, NoReturn

MASKED = "•••"

# Each alternative starts with a literal and repeats one class: linear in the length of the text.
_FORMATS = re.compile(
    r"clv[katbw]_[a-z0-9]{2,8}_[0-9A-Za-z]{12}_[0-9A-Za-z]{20,}"
    r"|sk-[A-Za-z0-9_-]{16,}"
    r"|pplx-[A-Za-z0-9]{16,}"
    r"|AIza[A-Za-z0-9_-]{30,}"
    r"|AKIA[A-Z0-9]{16}"
    r"|gh[pousr]_[A-Za-z0-9]{20,}"
    r"|xox[abprs]-[A-Za-z0-9-]{10,}"
    r"|(?i:bearer)\s+[A-Za-z0-9._~+/=-]{12,}"
)
_OURS = re.compile(r"^(clv[katbw]_[a-z0-9]{2,8}_[0-9A-Za-z]{12})_")


class Secret:
    """A secret text. `reveal` is the only way out; every way of writing it down by accident gives the mask."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The secret itself; to be called where it is used, never where it is passed on."""
        return self._value

    @property
    def last_four(self) -> str:
        """What may be shown to tell it from another; nothing of a short one."""
        return self._value[-4:] if len(self._value) >= 16 else ""

    def __repr__(self) -> str:
        return f"Secret({MASKED})"

    def __str__(self) -> str:
        return MASKED

    def __format__(self, spec: str) -> str:
        return format(MASKED, spec)

    def __len__(self) -> int:
        return len(self._value)

    def __eq__(self, other: object) -> bool:
        """Equal in constant time."""
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    __hash__ = None  # type: ignore[assignment] # a secret is no key of a mapping: its hash would tell about it

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not pickled")


def mask(text: str) -> str:
    """The text with everything that looks like a key masked; of our own keys the public id stays."""
    return _FORMATS.sub(_masked, text)


def mask_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor for structured logs: masks every text, however deep."""
    for name, value in event.items():
        event[name] = mask_deep(value)
    return event


def mask_deep(value: Any) -> Any:
    """The same value with every text in it masked."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, bytes):
        return mask(value.decode("utf-8", "replace"))
    if isinstance(value, dict):
        return {mask(str(name)): mask_deep(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [mask_deep(inner) for inner in value]
    return value


def _masked(found: re.Match[str]) -> str:
    text = found.group()
    ours = _OURS.match(text)
    if ours is not None:
        return f"{ours.group(1)}_{MASKED}"
    if text[:6].lower() == "bearer":
        return f"{text[:6]} {MASKED}"
    return f"{text[:4]}{MASKED}"
