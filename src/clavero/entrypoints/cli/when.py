"""Moments of the API: read from RFC 3339, shown as people read them."""

from datetime import UTC, datetime

from clavero.domain.keys import moment

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def instant_ns(text: str) -> int:
    """UTC nanoseconds of `2026-11-23T14:05:00Z`, to the microsecond."""
    apart = datetime.fromisoformat(text) - _EPOCH
    return (apart.days * 86_400 + apart.seconds) * 10**9 + apart.microseconds * 1000


def shown(text: str | None) -> str:
    """`2026-11-23 14:05 UTC`; "" for never."""
    return moment(instant_ns(text)) if text else ""


def milliseconds(micros: int) -> str:
    """A length of time in microseconds as `0.3 ms` or `2,004 ms`."""
    return f"{micros / 1000:.1f} ms" if micros < 10_000 else f"{micros / 1000:,.0f} ms"
