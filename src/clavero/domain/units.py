"""Amounts, lengths of time and sizes as people read and write them, in English and Spanish."""

import re
from typing import Literal

from clavero.domain.budgets import Window
from clavero.domain.money import NanoUsd, from_usd, to_usd

Language = Literal["en", "es"]

_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
_BYTES = {"": 1, "B": 1, "KB": 1_000, "MB": 10**6, "GB": 10**9, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30}
_LONGEST = 100 * 366 * 86_400
_DURATION = re.compile(r"(?:\d+[smhdw])+")
_SIZE = re.compile(r"(\d+) ?([KMG]I?B|B|)", re.IGNORECASE)
_NARROW = "\u202f"  # between thousands in Spanish
_WINDOWS = {"ever": Window.FOREVER, "total": Window.FOREVER, **{window.value: window for window in Window}}


def parse_duration(text: str) -> int:
    """Seconds of `90s`, `30m`, `24h`, `7d`, `2w` or `1d12h`; ValueError where it is none, or over 100 years."""
    if not _DURATION.fullmatch(text.strip()):
        raise ValueError(f"{text!r} is not a duration such as 30m, 24h or 7d")
    seconds = sum(int(number) * _SECONDS[unit] for number, unit in re.findall(r"(\d+)([smhdw])", text))
    if seconds > _LONGEST:
        raise ValueError(f"{text!r} is longer than 100 years")
    return seconds


def parse_size(text: str) -> int:
    """Bytes of `512`, `10MB` (decimal) or `10 MiB` (binary); ValueError where it is none."""
    found = _SIZE.fullmatch(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a size such as 512, 10MB or 10MiB")
    return int(found[1]) * _BYTES[found[2].upper()]


def parse_limit(text: str) -> tuple[NanoUsd, Window]:
    """The amount and window of `$10/day` or `1,000/month`; without a window it is for ever. ValueError otherwise."""
    amount, slash, window = text.strip().partition("/")
    if not slash:
        return from_usd(amount), Window.FOREVER
    if window.strip().lower() not in _WINDOWS:
        raise ValueError(f"{window!r} is not a window: day, week, month or forever")
    return from_usd(amount), _WINDOWS[window.strip().lower()]


def format_limit(amount: int, window: Window) -> str:
    """The opposite of `parse_limit`: `$10/day`; whole dollars without cents."""
    text = to_usd(amount).removesuffix(".00")
    return f"${text}" if window is Window.FOREVER else f"${text}/{window.value}"


def money(amount: int, places: int, language: Language) -> str:
    """Nano-USD as `$1,204.50`; in Spanish `1 204.50 USD`, since `$` is also the peso."""
    text = to_usd(amount, places)
    if language == "es":
        return f"{text.replace(',', _NARROW)} USD"
    return f"-${text[1:]}" if text.startswith("-") else f"${text}"


def format_duration(seconds: float) -> str:
    """The two largest units: `45 s`, `3 min`, `2 h 5 min`, `29 d`; the same in both languages."""
    whole = max(0, int(seconds))
    days, rest = divmod(whole, 86_400)
    hours, rest = divmod(rest, 3_600)
    minutes, rest = divmod(rest, 60)
    if days:
        return f"{days} d {hours} h" if days < 3 and hours else f"{days} d"
    if hours:
        return f"{hours} h {minutes} min" if hours < 3 and minutes else f"{hours} h"
    return f"{minutes} min" if minutes else f"{rest} s"


def format_ago(then_ns: int, now_ns: int, language: Language = "en") -> str:
    """A moment against now, UTC nanoseconds: `3 h ago`, `in 29 d`, `hace 3 h`, `dentro de 29 d`."""
    seconds = (now_ns - then_ns) / 1e9
    if abs(seconds) < 1:
        return "ahora" if language == "es" else "now"
    span = format_duration(abs(seconds))
    if seconds > 0:
        return f"hace {span}" if language == "es" else f"{span} ago"
    return f"dentro de {span}" if language == "es" else f"in {span}"


def format_size(size: int) -> str:
    """Bytes as `512 B`, `10.0 MiB`."""
    value = float(size)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024 or unit == "GiB":
            break
        value /= 1024
    return f"{size} B" if unit == "B" else f"{value:.1f} {unit}"
