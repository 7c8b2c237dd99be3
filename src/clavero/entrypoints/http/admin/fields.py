"""What fields hold on the wire: moments, lengths of time, amounts; and what all bodies and answers have in common."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar

from fastapi.responses import JSONResponse
from msgspec import Struct, UnsetType
from pydantic import BaseModel, ConfigDict, Field

from clavero.domain.budgets import Window
from clavero.domain.money import LARGEST, NANO
from clavero.domain.refusals import InvalidValue
from clavero.domain.units import parse_duration, parse_limit

_SECOND = 1_000_000_000
Text = Annotated[str, Field(max_length=500)]
Names = Annotated[tuple[Annotated[str, Field(max_length=256)], ...], Field(max_length=200)]
Moment = Annotated[str | None, Field(description="UTC, RFC 3339; null is never", examples=["2026-11-23T14:05:00Z"])]
Nano = Annotated[int, Field(description="nano-USD: 1,000,000,000 is one US dollar")]

S = TypeVar("S", bound=Struct)


class Body(BaseModel):
    """What is sent; a field that we do not know is refused, so that a typo changes nothing silently."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class View(BaseModel):
    """What is answered."""

    model_config = ConfigDict(frozen=True)


class Reasoned(Body):
    """A change and why it is made; the reason is kept in the audit trail."""

    reason: Text = ""


class Overriding(Reasoned):
    """A change of keys; `override` makes it though their environment is frozen, and wants a reason."""

    override: bool = False


class Once(JSONResponse):
    """An answer that holds a secret: it is given once, and no cache keeps it."""

    def __init__(self, content: Any, status_code: int = 200, **more: Any) -> None:
        super().__init__(content, status_code, **more)
        self.headers["cache-control"] = "no-store"
        self.headers["pragma"] = "no-cache"


def moment(at_ns: int) -> str | None:
    """UTC nanoseconds as `2026-11-23T14:05:00Z`; None for never."""
    return f"{datetime.fromtimestamp(at_ns // _SECOND, UTC):%Y-%m-%dT%H:%M:%SZ}" if at_ns else None


def exact(at_ns: int) -> str:
    """UTC nanoseconds as `2026-11-23T14:05:00.123456Z`."""
    return f"{datetime.fromtimestamp(at_ns // _SECOND, UTC):%Y-%m-%dT%H:%M:%S}.{at_ns % _SECOND // 1000:06d}Z"


def span_ns(text: str, field: str) -> int:
    """Nanoseconds of `30m`, `24h`, `7d`, and of `0`; `InvalidValue` otherwise."""
    if text.strip() in {"", "0"}:
        return 0
    try:
        return parse_duration(text) * _SECOND
    except ValueError:
        raise InvalidValue(field, "a duration such as 30m, 24h or 7d", "24h") from None


def instant_ns(text: str, field: str, now_ns: int) -> int:
    """UTC nanoseconds of a day, a moment (RFC 3339), or a duration back from now; `InvalidValue` otherwise."""
    try:
        return now_ns - parse_duration(text) * _SECOND
    except ValueError:
        pass
    try:
        read = datetime.fromisoformat(text.strip())
        aware = read if read.tzinfo else read.replace(tzinfo=UTC)
        return int(aware.timestamp()) * _SECOND
    except (ValueError, OverflowError):
        raise InvalidValue(field, "a duration such as 7d, or a day such as 2026-11-23", "7d") from None


def ahead_ns(text: str, field: str, now_ns: int) -> int:
    """UTC nanoseconds of a moment (RFC 3339, UTC where it names no zone), or a duration from now; `InvalidValue`."""
    try:
        return now_ns + parse_duration(text) * _SECOND
    except ValueError:
        pass
    try:
        read = datetime.fromisoformat(text.strip())
        aware = read if read.tzinfo else read.replace(tzinfo=UTC)
        return int(aware.timestamp()) * _SECOND
    except (ValueError, OverflowError):
        raise InvalidValue(field, "a duration such as 24h, or a moment such as 2026-11-30T08:00Z", "24h") from None


def limit_of(text: str, field: str = "limit") -> tuple[int, Window]:
    """Nano-USD and window of `$10/day`; `InvalidValue` otherwise."""
    try:
        return parse_limit(text)
    except ValueError:
        raise InvalidValue(field, "an amount and a window, such as $10/day", "$10/day") from None


def nano_of(dollars: Decimal, field: str) -> int:
    """Whole nano-USD of an amount in dollars; `InvalidValue` where it is none, or beyond 64 bits."""
    if dollars.is_finite() and 0 <= dollars <= LARGEST // NANO:  # checked first: no exponent overflows below
        amount = dollars * NANO
        if amount == amount.to_integral_value():
            return int(amount)
    raise InvalidValue(field, "an amount in US dollars, at most 9 places after the point", "10.00")


def edit_of(kind: type[S], body: Body, **more: object) -> S:
    """An edit of `control` from what a body gives: fields that were not sent, or are null, stay as they are."""
    sent = {name: value for name, value in body if name in body.model_fields_set and value is not None}
    known = set(kind.__struct_fields__)
    return kind(**{name: value for name, value in (sent | more).items() if name in known and not _unset(value)})


def _unset(value: object) -> bool:
    return isinstance(value, UnsetType)
