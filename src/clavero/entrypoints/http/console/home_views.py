"""What Home shows: first what a person must do, then the figures with their partners, the chart, who spends."""

from collections.abc import Mapping, Sequence

from markupsafe import Markup
from msgspec import Struct

from clavero.control.budgets import Standing
from clavero.control.pressure import used
from clavero.control.tiers import Drift
from clavero.domain.budgets import Subject, Window
from clavero.domain.keys import Key
from clavero.domain.members import Leaver
from clavero.domain.money import NANO
from clavero.entrypoints.http.console import figures
from clavero.entrypoints.http.console.charts import Bar, Level, Line, Mark, Plot, bars, lines, meter, sparkline, ticks
from clavero.entrypoints.http.console.figures import Speed, Sums
from clavero.entrypoints.http.console.formats import Formats
from clavero.entrypoints.http.console.messages import Messages
from clavero.entrypoints.http.console.needs import Need, Trouble, needs
from clavero.entrypoints.http.console.reads import Spent
from clavero.entrypoints.http.console.views import BudgetRow, Drawing, budget_row

HOUR = 3600 * NANO
DAY = 24 * HOUR
QUARTER = HOUR // 4
MINUTE = HOUR // 60
_TOP = 6
_WIDE, _NARROW = 752, 344


class Figure(Struct, frozen=True, kw_only=True):
    """One figure and its partner; each opens the rows it is made of."""

    label: str
    value: str
    unit: str = ""
    before: str = ""
    partner: str = ""
    tone: str = ""
    url: str = "/requests"
    meter: Markup = Markup()
    spark: Markup = Markup()


class Spender(Struct, frozen=True):
    """One of the keys that spend most."""

    name: str
    cost: str
    share: str


class Facts(Struct, frozen=True, kw_only=True):
    """What Home is made of: quarters of an hour since midnight, the last 24 hours (to now, and by the clock)."""

    quarters: Sequence[Sums]
    hours: Sequence[Sums]
    clock_hours: Sequence[Sums]
    speed: Speed
    codes: Mapping[str, int]
    standings: Sequence[Standing]
    keys: Sequence[Key]
    today: Mapping[str, Spent]
    rejects: int = 0
    gone: Mapping[str, Leaver] = {}  # who has left
    drift: Sequence[Drift] = ()  # keys that do not meet their tier


class HomeView(Struct, frozen=True, kw_only=True):
    """Everything on the page."""

    needs: Sequence[Need]
    figures: Sequence[Figure]
    chart: Drawing
    chart_name: str
    chart_title: str
    chart_unit: str
    legend: Sequence[tuple[str, str]]
    top: Sequence[Spender]
    keys: int
    budgets: Sequence[BudgetRow]


class _Home:
    """The parts, from the same facts."""

    def __init__(self, facts: Facts, words: Messages, formats: Formats) -> None:
        self.facts, self.t, self.f = facts, words, formats
        self.now = formats.now_ns
        self.midnight = self.now - self.now % DAY
        self.names = {str(key.id): key.name for key in facts.keys}
        self.hours = facts.hours
        self.before, self.hour = facts.hours[-2:]
        self.spent_n = sum(one.cost_n for one in facts.quarters)
        own = [one for one in facts.standings if one.budget.subject is Subject.ORGANISATION]
        self.budget = next((one for one in own if one.budget.window is Window.DAY), None)

    def figures(self) -> list[Figure]:
        requests = Figure(
            label=self.t("figure.requests"),
            value=self.f.count(self.hour.calls),
            unit=self.t("figure.last_hour"),
            partner=self.t("figure.hour_before", number=self.f.count(self.before.calls)),
            spark=self._spark([one.calls for one in self.hours], "figure.requests"),
        )
        return [self.spend(), self.burn(), requests, self.speed(), self.errors()]

    def speed(self) -> Figure:
        speed = self.facts.speed
        value, unit = self.f.lasting(speed.total_us) if speed.total_us else ("\u2013", "")
        ours = self.t("figure.ours", time=self.f.took(speed.ours_us))
        partner = ours if speed.total_us else self.t("figure.no_calls")
        return Figure(label=self.t("figure.p95"), value=value, unit=unit, partner=partner)

    def errors(self) -> Figure:
        hour = self.hour
        failing = hour.failed / hour.calls if hour.calls else 0.0
        said = {"failed": self.f.count(hour.failed), "calls": self.f.count(hour.calls)}
        return Figure(
            label=self.t("figure.errors"),
            value=self.f.percent(failing, 2),
            tone="warned" if failing >= 0.01 else "",
            partner=self.t("figure.of_calls", count=hour.refused, refused=self.f.count(hour.refused), **said),
            spark=self._spark([one.failed for one in self.hours], "figure.errors"),
        )

    def spend(self) -> Figure:
        label, value = self.t("figure.spend"), self._sum(self.spent_n)
        if self.budget is None:
            return Figure(
                label=label,
                before="USD",
                value=value,
                partner=self.t("figure.no_budget"),
                url="/?chart=spend",
                spark=self._spark([one.cost_n for one in self.hours], "figure.spend"),
            )
        standing, limit = self.budget, self.budget.budget.limit_n
        share = self.f.percent(used(standing))
        said = self.t(
            "figure.budget", share=share, held=self.f.money(standing.held_n), time=self.f.hour(standing.resets_ns)
        )
        return Figure(
            label=label,
            before="USD",
            value=self._sum(standing.spent_n),
            unit=self.t("figure.of", limit=self.f.limit(limit)),
            partner=said,
            url="/?chart=spend",
            meter=meter(standing.spent_n, standing.held_n, limit, said, 300),
        )

    def burn(self) -> Figure:
        out = self.runs_out()
        return Figure(
            label=self.t("figure.burn"),
            value=self._sum(self.hour.cost_n),
            unit="USD/h",
            url="/?chart=spend",
            partner=self.t("figure.runs_out", time=self.f.hour(out))
            if out
            else self.t("figure.hour_before", number=self._sum(self.before.cost_n)),
            tone="warned" if out else "",
            spark=self._spark([one.cost_n for one in self.hours], "figure.burn"),
        )

    def runs_out(self) -> int:
        if self.budget is None:
            return 0
        left = self.budget.budget.limit_n - self.budget.spent_n
        return figures.runs_out(left, self.hour.cost_n, self.now, self.budget.resets_ns)

    def top(self) -> list[Spender]:
        whole = sum(one.cost_n for one in self.facts.today.values()) or 1
        ranked = sorted(self.facts.today.items(), key=lambda item: -item[1].cost_n)[:_TOP]
        places = self.f.places(spent.cost_n for _, spent in ranked)
        return [
            Spender(self.names[key], self.f.money(spent.cost_n, places), self.f.percent(spent.cost_n / whole))
            for key, spent in ranked
            if spent.cost_n and key in self.names
        ]

    def budgets(self) -> list[BudgetRow]:
        ranked = sorted(self.facts.standings, key=lambda one: -used(one))
        return [budget_row(one, self.t, self.f) for one in ranked]

    def spend_chart(self) -> Drawing:
        steps = self.facts.quarters
        points = [(0.0, 0.0)]
        for step, total in zip(steps, figures.running(steps), strict=True):
            points.append(((min(step.at_ns + QUARTER, self.now) - self.midnight) / HOUR, total / NANO))
        hourly = figures.together(steps, HOUR // QUARTER)
        rows = [
            (self.f.hour(one.at_ns), self.f.money(one.cost_n, 4), self.f.money(total, 4))
            for one, total in zip(hourly, figures.running(hourly), strict=True)
        ]
        head = (self.t("col.hour"), self.t("col.usd"), self.t("col.usd_sum"))
        return Drawing(self._lines(points, _WIDE, 3), self._lines(points, _NARROW, 6), head, rows)

    def _lines(self, points: Sequence[tuple[float, float]], width: int, every: int) -> Markup:
        wide = width > 500
        now_x, spent = points[-1]
        series = [Line("", "s1", points, area=True)]
        burn = self.hour.cost_n / NANO
        ahead = spent + burn * (24 - now_x)
        tops = [spent or 1.0]
        if burn > 0 and now_x < 23.5:
            series.append(Line(self.t("chart.forecast"), "s1 dashed", [(now_x, spent), (24.0, ahead)]))
            tops.append(ahead)
        level, cross = None, None
        if self.budget is not None:
            limit = self.budget.budget.limit_n / NANO
            level = Level(limit, self.t("chart.budget", limit=self.f.limit(self.budget.budget.limit_n)))
            tops.append(limit * 1.1)
            if out := self.runs_out():
                cross = Mark((out - self.midnight) / HOUR, self.t("figure.runs_out", time=self.f.hour(out)), limit)
        top = max(tops)
        step = ticks(top)[1]
        places = 0 if step == int(step) else 2 if step >= 0.01 else 4
        plot = Plot(
            label=self.t("chart.spend_said", spent=self._sum(self.spent_n), time=self.f.hour(self.now)),
            width=width,
            height=248,
            span=(0.0, 24.0),
            top=top,
            y_name=lambda value: self.f.number(value, places),
            x_names=[(hour, f"{hour:02d}:00") for hour in range(0, 25, every)],
            right=110 if wide else 16,
        )
        return lines(plot, series, level, Mark(now_x, self.f.hour(self.now)), cross)

    def request_chart(self) -> Drawing:
        steps = self.facts.clock_hours
        rows = [
            (self.f.hour(one.at_ns), self.f.count(one.answered), self.f.count(one.refused), self.f.count(one.failed))
            for one in steps
        ]  # fmt: skip
        head = (self.t("col.hour"), self.t("chart.answered"), self.t("chart.refused"), self.t("chart.failed"))
        return Drawing(self._bars(steps, _WIDE, 3), self._bars(steps, _NARROW, 6), head, rows)

    def _bars(self, steps: Sequence[Sums], width: int, every: int) -> Markup:
        stacks = [
            Bar(float(number), 1.0, (one.answered, one.refused, one.failed),
                f"{self.f.hour(one.at_ns)}: {self.f.count(one.calls)}")
            for number, one in enumerate(steps)
        ]  # fmt: skip
        plot = Plot(
            label=self.t("chart.requests_said", number=self.f.count(sum(one.calls for one in steps))),
            width=width,
            height=228,
            span=(0.0, float(len(steps))),
            top=float(max([one.calls for one in steps] + [4])),
            y_name=lambda value: self.f.count(round(value)),
            x_names=[
                (number + 0.5, self.f.hour(one.at_ns))
                for number, one in enumerate(steps)
                if one.at_ns // HOUR % every == 0
            ],
        )
        return bars(plot, stacks, ("main", "warn", "bad"))

    def _sum(self, amount: int) -> str:
        return self.f.money(amount, self.f.places([amount]))

    def _spark(self, values: Sequence[float], name: str) -> Markup:
        return sparkline(values, self.t("spark", name=self.t(name)))


def home(facts: Facts, words: Messages, formats: Formats, chart: str) -> HomeView:
    """The page; `chart` is `spend` or `requests`."""
    made = _Home(facts, words, formats)
    spend = chart != "requests"
    colours = [("", "chart.answered"), ("warn", "chart.refused"), ("bad", "chart.failed")]
    return HomeView(
        needs=needs(
            Trouble(made.hour, facts.codes, facts.standings, facts.keys, facts.rejects, facts.gone, facts.drift),
            words,
            formats,
        ),
        figures=made.figures(),
        chart=made.spend_chart() if spend else made.request_chart(),
        chart_name="spend" if spend else "requests",
        chart_title=words("chart.spend_title" if spend else "chart.requests_title"),
        chart_unit=words("chart.spend_unit" if spend else "chart.requests_unit"),
        legend=() if spend else [(css, words(key)) for css, key in colours],
        top=made.top(),
        keys=len(facts.keys),
        budgets=made.budgets(),
    )
