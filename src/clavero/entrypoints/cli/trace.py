"""`clavero trace`: one exchange, step by step, with its times and its money."""

from typing import Any

from clavero.entrypoints.cli.client import path_of
from clavero.entrypoints.cli.options import COMMON, Common, dollars
from clavero.entrypoints.cli.request import status_cell
from clavero.entrypoints.cli.show import Cell, facts
from clavero.entrypoints.cli.usage import tokens_of
from clavero.entrypoints.cli.when import milliseconds, shown

Step = tuple[int | None, str, str]


def trace(request_id: str, /, *, common: Common = COMMON) -> int:
    """Show one request: holds, calls, waits, cost. A record is awaited for 3 s.

    Example: clavero trace req_01JD8ZK4T0B6

    Parameters
    ----------
    request_id
        From the header x-request-id, an error's request_id, or clavero request list.
    """
    found = common.api().get(path_of("requests", request_id))
    if common.json:
        return common.answer(found)
    screen = common.screen()
    screen.line(status_cell(found["status"]), f"  {found['outcome']}{f'  [{code}]' if (code := found['code']) else ''}")
    for line in facts(_head(found)):
        screen.line(line)
    told = steps(found)
    room = max((len(_time(at)) for at, _, _ in told), default=0)
    for at, what, text in told:
        screen.line(Cell(f"{_time(at):>{room}}", "dim"), f"  {what:8}  {text}")
    return 0


def steps(found: dict[str, Any]) -> list[Step]:
    """What happened, in its order: microseconds since the request arrived, None where that is not kept."""
    told: list[Step] = []
    number = 0
    for leg in found["legs"]:
        if leg["held_nano_usd"]:
            first = leg["attempts"][0]["started_us"] if leg["attempts"] else None
            told.append((first, "reserve", dollars(leg["held_nano_usd"], 6)))
        for attempt in leg["attempts"]:
            number += 1
            told.append((attempt["started_us"], f"call {number}", _attempt(attempt)))
        told.append((found["total_us"] if leg["final"] else None, "settle", _settled(leg)))
    return told


def _head(found: dict[str, Any]) -> dict[str, str]:
    asked, served = found["model_asked"], found["model_served"]
    model = f"{asked} → {found['provider']}/{served}" if served else asked
    first = f", first token {milliseconds(found['first_token_us'])}" if found["first_token_us"] else ""
    return {
        "When": shown(found["at"]),
        "Key": f"{found['key'] or found['kid']} v{found['key_version']}" if found["kid"] else "",
        "Service": " / ".join(part for part in (found["team"], found["project"], found["service"]) if part),
        "Feature": found["feature"],
        "Call": f"{found['endpoint']}{' stream' if found['streamed'] else ''} · {model}",
        "Time": f"{milliseconds(found['total_us'])}{first}, ours {milliseconds(found['overhead_us'])}",
        "Cost": f"{dollars(found['cost_nano_usd'], 6)}, {tokens_of(found):,} tokens",
        "Caller": found["client_request_id"],
    }


def _attempt(attempt: dict[str, Any]) -> str:
    wait = f"after {milliseconds(attempt['waited_us'])}, " if attempt["waited_us"] else ""
    first = attempt["first_byte_us"]
    begun = f", first byte {milliseconds(first - attempt['started_us'])}" if first else ""
    result = attempt["code"] or "no answer" if not attempt["status"] else str(attempt["status"])
    code = f" {attempt['code']}" if attempt["status"] and attempt["code"] else ""
    return f"{wait}{attempt['provider']} {attempt['model']}: {result}{code}{begun}"


def _settled(leg: dict[str, Any]) -> str:
    cost, held = leg["cost_nano_usd"], leg["held_nano_usd"]
    estimate = " (estimated)" if leg["estimated"] else ""
    back = f"; {dollars(held - cost, 6)} returned" if held > cost else ""
    return f"{dollars(cost, 6)}{estimate}{back}"


def _time(at: int | None) -> str:
    return "" if at is None else milliseconds(at)
