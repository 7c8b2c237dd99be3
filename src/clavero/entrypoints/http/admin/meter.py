"""Counters and histograms over everything that ingest posts, and the last pulse of each worker.

`Meter.heard` is what ingest tells of frames once they are durable, from a thread of its own, at up to ten thousand a
second: so series are found by one look-up and a figure is one addition. What callers write freely (names of models)
makes at most so many series and is then counted under `other`; who they are is never a label.
"""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from threading import Lock

from clavero.domain.ledger import BootId
from clavero.domain.secret import mask
from clavero.domain.usage import Exchange
from clavero.ports.clock import Clock
from clavero.wire.journal import Frame, Pulse, Record, Settle, Unreadable

MOST_MODELS = 200
MOST_BOOTS = 1000
OTHER = "other"
KINDS = ("input", "cached", "cache_write", "output", "reasoning")
# Boundaries as OpenTelemetry's GenAI conventions advise; overhead is ours, in seconds.
TOKEN_BOUNDS = tuple(float(4**power) for power in range(14))
DURATION_BOUNDS = tuple(0.01 * 2**power for power in range(14))
FIRST_TOKEN_BOUNDS = (0.001, 0.005, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0)
OVERHEAD_BOUNDS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)

Labels = tuple[str, ...]


class Counts:
    """Sums by their labels; whole numbers, so that nothing is lost to rounding."""

    def __init__(self) -> None:
        self._sums: dict[Labels, int] = {}

    def add(self, labels: Labels, amount: int = 1) -> None:
        """Count on; an amount below 0 counts nothing, since a counter never falls."""
        self._sums[labels] = self._sums.get(labels, 0) + max(0, amount)

    def items(self) -> Iterator[tuple[Labels, int]]:
        """Every series."""
        yield from self._sums.items()


class Spread:
    """A histogram by its labels, over boundaries that are each included below."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self._series: dict[Labels, tuple[list[int], list[float]]] = {}

    def add(self, labels: Labels, figure: float) -> None:
        """Put a figure into its bucket; one below 0 is no figure."""
        if figure < 0:
            return
        buckets, total = self._series.setdefault(labels, ([0] * (len(self.bounds) + 1), [0.0]))
        buckets[bisect_left(self.bounds, figure)] += 1
        total[0] += figure

    def items(self) -> Iterator[tuple[Labels, list[tuple[str, float]], float]]:
        """Every series: buckets that add up, as `le` and count, and the sum of all figures."""
        for labels, (buckets, total) in self._series.items():
            rising, count = [], 0
            for bound, more in zip((*map(str, self.bounds), "+Inf"), buckets, strict=True):
                count += more
                rising.append((bound, float(count)))
            yield labels, rising, total[0]


class Meter:
    """What `/metrics` and `/status` tell of exchanges and workers since this process began."""

    def __init__(self, clock: Clock) -> None:
        self.exchanges = Counts()  # endpoint, model, status, code
        self.tokens = Counts()  # endpoint, provider, model, kind
        self.cost = Counts()  # provider, model: nano-USD
        self.estimated = Counts()  # provider, model: nano-USD
        self.overruns = Counts()  # provider, model: calls that were billed above their hold
        self.beyond = Counts()  # provider, model: nano-USD that they were billed above it
        self.attempts = Counts()  # provider, code
        self.rejected = Counts()
        self.token_usage = Spread(TOKEN_BOUNDS)  # operation, provider, model, kind
        self.durations = Spread(DURATION_BOUNDS)  # operation, provider, model
        self.first_tokens = Spread(FIRST_TOKEN_BOUNDS)  # operation, provider, model
        self.overheads = Spread(OVERHEAD_BOUNDS)  # endpoint
        self.lock = Lock()  # held by who writes, and by who reads all of it
        self.lag_ms: int | None = None
        self._clock = clock
        self._pulses: dict[str, Pulse] = {}
        self._models: dict[str, str] = {}

    def heard(self, boot: BootId, frames: Sequence[Frame | Unreadable]) -> None:
        """Take in frames that were posted; give this to `Ingest`."""
        with self.lock:
            for frame in frames:
                match frame:
                    case Settle() | Record():
                        self._count(frame.exchange)
                    case Pulse():
                        self._beat(boot, frame)
                    case Unreadable():
                        self.rejected.add(())
                    case _:
                        pass

    def pulse(self, boot: str) -> Pulse | None:
        """What a worker last said of itself."""
        return self._pulses.get(boot)

    def _beat(self, boot: BootId, pulse: Pulse) -> None:
        self._pulses.pop(boot, None)
        self._pulses[boot] = pulse
        if len(self._pulses) > MOST_BOOTS:  # the one that has been silent for longest
            del self._pulses[next(iter(self._pulses))]
        self.lag_ms = max(0, self._clock.wall_ns() - pulse.at_ns) // 1_000_000

    def _count(self, it: Exchange) -> None:
        model = self._model(it.model_served)
        if it.final:
            self.exchanges.add((it.endpoint, model, str(it.status), it.code))
            self.overheads.add((it.endpoint,), it.overhead_us / 1e6)
        self._count_money(it, model)
        if it.provider:
            self._count_call(it, model)

    def _count_money(self, it: Exchange, model: str) -> None:
        for kind, amount in zip(KINDS, (getattr(it.tokens, kind) for kind in KINDS), strict=True):
            if amount:
                self.tokens.add((it.endpoint, it.provider, model, kind), amount)
        if it.cost_n:
            self.cost.add((it.provider, model), it.cost_n)
            if it.estimated:
                self.estimated.add((it.provider, model), it.cost_n)
        if overran(it):
            self.overruns.add((it.provider, model))
            self.beyond.add((it.provider, model), it.cost_n - it.held_n)

    def _count_call(self, it: Exchange, model: str) -> None:
        """What OpenTelemetry counts: calls that went to a provider."""
        labels = (operation(it.endpoint), it.provider, model)
        for attempt in it.attempts:
            self.attempts.add((attempt.provider, attempt.code))
        if it.tokens.all_input or it.tokens.all_output:
            self.token_usage.add((*labels, "input"), it.tokens.all_input)
            self.token_usage.add((*labels, "output"), it.tokens.all_output)
        if it.final:
            self.durations.add(labels, it.total_us / 1e6)
            if it.first_token_us:
                self.first_tokens.add(labels, it.first_token_us / 1e6)

    def _model(self, name: str) -> str:
        """The label of a model: itself for the first so many, and never a key that was sent in its place."""
        known = self._models.get(name)
        if known is None:
            if len(self._models) >= MOST_MODELS or not name.isprintable() or mask(name) != name:
                return OTHER if name else ""
            known = self._models[name] = name
        return known


def overran(it: Exchange) -> bool:
    """Whether a provider billed more than was set aside: the only way in which a call passes a limit."""
    return it.cost_n > it.held_n > 0


def operation(endpoint: str) -> str:
    """The name that OpenTelemetry has for what an endpoint does."""
    return {"responses": "chat", "messages": "chat"}.get(endpoint, endpoint)
