"""What the simulated provider would put on its invoice: the figure that our own ledger must equal."""

from collections import deque

from msgspec import Struct

from clavero.simulator.replies import Bill

_ROWS = 10_000


class Billed(Struct, frozen=True):
    """Tokens billed for one model, in so many calls."""

    calls: int = 0
    input: int = 0
    cached: int = 0  # part of input
    written: int = 0  # part of input
    output: int = 0

    def __add__(self, other: "Billed") -> "Billed":
        return Billed(
            self.calls + other.calls,
            self.input + other.input,
            self.cached + other.cached,
            self.written + other.written,
            self.output + other.output,
        )


class Invoice:
    """Every call that was billed: totals by model, and the latest calls one by one."""

    def __init__(self) -> None:
        self.by_model: dict[str, Billed] = {}
        self.rows: deque[tuple[str, Billed]] = deque(maxlen=_ROWS)
        self.requests = 0  # everything that was asked, refusals too
        self.left = 0  # streams whose caller went before the end

    def charge(self, bill: Bill, tokens: int) -> None:
        """Bill a call whose answer was played as far as `tokens` output tokens."""
        row = Billed(1, bill.input, bill.cached, bill.written, tokens + bill.extra)
        self.by_model[bill.model] = self.by_model.get(bill.model, Billed()) + row
        self.rows.append((bill.model, row))

    @property
    def total(self) -> Billed:
        """All models together."""
        return sum(self.by_model.values(), Billed())
