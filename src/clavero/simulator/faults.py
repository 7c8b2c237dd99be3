"""What can be made to go wrong, on demand: for drills and tests, off unless it is asked for.

A fault acts at one of three places, each a pure function: instead of the answer (`refusal`), on the answer before it
is written (`twist`), on the steps that are played (`bend`).
"""

from enum import StrEnum

from msgspec import Struct, structs

from clavero.simulator.answers import Answer, Twist
from clavero.simulator.refusals import Dialect, Refusal, refuse, too_long
from clavero.simulator.replies import Ending, Reply, Step

_LATE, _STALL, _CUT, _OVERRUN = 20.0, 30.0, 8, 10_000
_GARBAGE = b'data: {"id":"chatcmpl-sim-broken","choices":[{"delta":{"cont\n\n'
_LAST_EVENTS = (b"data: [DONE]", b"event: message_stop")


class Fault(StrEnum):
    """The kinds; in brackets what `value` means."""

    RATE_LIMITED = "rate_limited"  # 429 (seconds of Retry-After)
    ERROR = "error"  # 500
    UNAVAILABLE = "unavailable"  # 503
    KEY_REFUSED = "key_refused"  # 401
    CONTEXT_LENGTH = "context_length"  # 400
    CONTENT_FILTER = "content_filter"  # 400
    RESET = "reset"  # the connection is reset before the head
    SILENCE = "silence"  # nothing is ever said
    LATE = "late"  # the first token is late (seconds)
    CUT = "cut"  # the connection is closed in the middle (after tokens)
    STALL = "stall"  # half the answer, a pause, the rest (seconds)
    MALFORMED_CHUNK = "malformed_chunk"  # one event in the middle is no JSON
    NO_DONE = "no_done"  # the last event is missing (1: and the connection stays open)
    OVERRUN = "overrun"  # more output is billed than the cap allows (tokens billed)
    NO_USAGE = "no_usage"  # the answer does not say what it used


class Planned(Struct, frozen=True):
    """A fault that waits for a call of `model` ("*": of any); `times` 0 is until it is cleared."""

    fault: Fault
    value: float | None = None
    model: str = "*"
    times: int = 1


class Faults:
    """The faults that are planned; the first that fits a call is taken."""

    def __init__(self) -> None:
        self._planned: list[Planned] = []

    def __bool__(self) -> bool:
        return bool(self._planned)

    def plan(self, fault: Fault, value: float | None = None, *, model: str = "*", times: int = 1) -> None:
        """Let the next `times` calls of a model meet a fault; 0 is until `clear`."""
        self._planned.append(Planned(fault, value, model, times))

    def clear(self) -> None:
        """Forget what was planned."""
        self._planned.clear()

    def take(self, model: str) -> Planned | None:
        """The fault that a call of this model meets; counted down."""
        for place, planned in enumerate(self._planned):
            if planned.model in {"*", model}:
                if planned.times == 1:
                    del self._planned[place]
                elif planned.times:
                    self._planned[place] = structs.replace(planned, times=planned.times - 1)
                return planned
        return None


def named(model: str) -> tuple[str, Planned | None]:
    """Split `gpt-4o-mini+cut=40` into the model and its fault; raises ValueError where there is no such fault."""
    bare, _, wanted = model.partition("+")
    if not wanted:
        return bare, None
    name, _, value = wanted.partition("=")
    return bare, Planned(Fault(name), float(value) if value else None)


def refusal(planned: Planned, dialect: Dialect) -> Refusal | None:
    """The refusal that stands instead of the answer, if this fault is one."""
    match planned.fault:
        case Fault.RATE_LIMITED:
            limited = refuse(dialect, 429, "Rate limit reached (simulated).", code="rate_limit_exceeded")
            return limited if planned.value is None else limited.with_headers(("retry-after", f"{planned.value:g}"))
        case Fault.ERROR:
            return refuse(dialect, 500, "The server had an error while processing your request (simulated).")
        case Fault.UNAVAILABLE:
            return refuse(dialect, 503, "The server is overloaded (simulated).")
        case Fault.KEY_REFUSED:
            return refuse(dialect, 401, "Incorrect API key provided (simulated).", code="invalid_api_key")
        case Fault.CONTEXT_LENGTH:
            return too_long(dialect, 1_000_001, 1_000_000)
        case Fault.CONTENT_FILTER:
            return refuse(dialect, 400, "The content was filtered (simulated).", code="content_filter", param="prompt")
        case _:
            return None


def twist(planned: Planned | None) -> Twist:
    """What the fault makes of an answer before it is written."""
    if planned is None:
        return _as_it_is
    match planned.fault:
        case Fault.OVERRUN:
            return lambda given: _overrun(given, planned.value)
        case Fault.NO_USAGE:
            return lambda given: structs.replace(given, reported=False)
        case _:
            return _as_it_is


def bend(planned: Planned, reply: Reply) -> Reply:
    """What the fault makes of the steps that are played."""
    value = planned.value
    match planned.fault:
        case Fault.RESET:
            return structs.replace(reply, steps=(), ending=Ending.RESET, bill=None)
        case Fault.SILENCE:
            return structs.replace(reply, steps=(), ending=Ending.HANG, bill=None)
        case Fault.LATE:
            return _delayed(reply, 0, _LATE if value is None else value)
        case Fault.CUT:
            return _cut(reply, _CUT if value is None else int(value))
        case Fault.STALL:
            return _delayed(reply, len(reply.steps) // 2, _STALL if value is None else value)
        case Fault.MALFORMED_CHUNK if reply.streamed:
            middle = len(reply.steps) // 2
            steps = (*reply.steps[:middle], Step(0.0, _GARBAGE), *reply.steps[middle:])
            return structs.replace(reply, steps=steps)
        case Fault.NO_DONE if reply.streamed and reply.steps[-1].data.startswith(_LAST_EVENTS):
            return structs.replace(reply, steps=reply.steps[:-1], ending=Ending.HANG if value else Ending.CLEAN)
        case _:
            return reply


def _as_it_is(given: Answer) -> Answer:
    return given


def _overrun(given: Answer, value: float | None) -> Answer:
    billed = given.output_tokens + _OVERRUN if value is None else int(value)
    return structs.replace(given, output_tokens=billed)


def _delayed(reply: Reply, place: int, seconds: float) -> Reply:
    steps = list(reply.steps)
    steps[place] = structs.replace(steps[place], delay=steps[place].delay + seconds)
    return structs.replace(reply, steps=tuple(steps))


def _cut(reply: Reply, tokens: int) -> Reply:
    if not reply.streamed:
        whole = reply.steps[0].data
        half = structs.replace(reply.steps[0], data=whole[: len(whole) // 2])
        return structs.replace(reply, steps=(half,), ending=Ending.CUT, length=len(whole))
    kept: list[Step] = []
    for step in reply.steps:
        if sum(one.tokens for one in kept) >= tokens and step.tokens:
            break
        kept.append(step)
    return structs.replace(reply, steps=tuple(kept), ending=Ending.CUT)
