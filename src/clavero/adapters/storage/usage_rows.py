"""Exchanges and holds as the values that their tables take."""

from typing import Any

import msgspec

from clavero.domain.ledger import BootId
from clavero.domain.posting import OpenHold, Posting, amounts
from clavero.domain.usage import Exchange

DAY_NS = 86_400 * 1_000_000_000
_json = msgspec.json.Encoder()
_msgpack = msgspec.msgpack.Encoder()
_exchange = msgspec.msgpack.Decoder(Exchange)
_hold_rows = msgspec.json.Decoder(tuple[tuple[str, int, int], ...])


def day_of(at_ns: int) -> int:
    """The UTC day of a moment, counted since 1970."""
    return at_ns // DAY_NS


def row_day(hold: OpenHold) -> int:
    """The day of the row that a hold becomes."""
    return day_of(hold.exchange.at_ns if hold.exchange else hold.at_ns)


def usage_values(boot: BootId, posting: Posting) -> dict[str, Any]:
    """The values of one usage row; `day` counts UTC days since 1970."""
    it = posting.exchange
    tokens = it.tokens
    return {
        "hold_id": posting.hold_id,
        "request_id": it.request_id,
        "at_ns": it.at_ns,
        "day": day_of(it.at_ns),
        "key_id": it.key_id,
        "key_version": it.key_version,
        "owner": it.owner,
        "service": it.service,
        "team": it.team,
        "project": it.project,
        "environment": it.environment,
        "feature": it.feature,
        "endpoint": it.endpoint,
        "model_asked": it.model_asked,
        "asked": "" if it.model_served else it.model_asked,
        "model_served": it.model_served,
        "provider": it.provider,
        "input": tokens.input,
        "cached": tokens.cached,
        "cache_write": tokens.cache_write,
        "output": tokens.output,
        "reasoning": tokens.reasoning,
        "cost_n": it.cost_n,
        "price_version": it.price_version,
        "attempts": _text(it.attempts),
        "first_token_us": it.first_token_us,
        "total_us": it.total_us,
        "overhead_us": it.overhead_us,
        "status": it.status,
        "code": it.code,
        "outcome": it.outcome,
        "streamed": it.streamed,
        "estimated": it.estimated,
        "final": it.final,
        "client_request_id": it.client_request_id,
        "peer": it.peer,
        "output_cap": it.output_cap,
        "held_n": it.held_n,
        "amounts": _text(amounts(posting)),
        "flag": posting.flag,
        "boot_id": boot,
    }


def hold_values(boot: BootId, hold: OpenHold) -> dict[str, Any]:
    """The values of one open hold."""
    return {
        "boot": boot,
        "hold": hold.hold_id,
        "rows": _text(hold.rows),
        "at_ns": hold.at_ns,
        "exchange": _msgpack.encode(hold.exchange) if hold.exchange else None,
    }


def open_hold(hold_id: str, rows: str, at_ns: int, exchange: bytes | None) -> OpenHold:
    """An open hold as its table has it."""
    known = _exchange.decode(exchange) if exchange else None
    return OpenHold(hold_id, at_ns, _hold_rows.decode(rows), known)


def _text(value: object) -> str:
    return _json.encode(value).decode() if value else "[]"
