"""The verdict on a leg: what the callers heard against what the books say, when everything is at rest."""

import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.e2e.campaign.load import ROOMY, Refusal, Tally
from tests.e2e.campaign.stand import WORKERS, Stand
from tests.e2e.running import wait_for

REST_SECONDS = 40.0
_PRICES = {"input": 150, "output": 600}  # nano-USD a token, as the stand has set them
_NOISE_NS = 5_000_000  # between an instant of the caller's and one of the worker's


@dataclass
class Verdict:
    """What is wrong (every entry a failure), and the figures of the report."""

    wrong: list[str] = field(default_factory=list)
    figures: dict[str, object] = field(default_factory=dict)

    def expect(self, holds: object, what: str) -> None:
        """Note what does not hold."""
        if not holds:
            self.wrong.append(what)


def judge(stand: Stand, tally: Tally, *, refusals_kept: bool = True) -> Verdict:
    """Wait for rest, then compare everything with everything.

    Refusals are kept as whole answers are, but where a worker died that had no room to write them.
    """
    verdict = Verdict()
    try:
        wait_for(lambda: stand.books.at_rest, REST_SECONDS)
    except AssertionError:
        verdict.wrong.append("leases or holds are stuck")
    stand.check_sums()
    acknowledged = tally.answered.keys() | (tally.refused.keys() if refusals_kept else set())
    _records(verdict, stand, acknowledged)
    _money(verdict, stand)
    _invoice(verdict, stand)
    _refusals(verdict, stand, tally)
    _machine(verdict, stand)
    verdict.figures |= {"calls": tally.calls, "broken": tally.broken, "left": tally.left}
    verdict.figures |= {code or "?": count for code, count in sorted(_codes(tally).items())}
    return verdict


def _records(verdict: Verdict, stand: Stand, acknowledged: set[str]) -> None:
    """Whoever saw a whole answer, or a refusal, has exactly one closing record."""
    finals = stand.books.finals()
    lost = acknowledged - finals.keys()
    twice = [request for request, count in finals.items() if count > 1]
    verdict.figures["records lost"] = len(lost)
    verdict.expect(not lost, f"acknowledged records lost: {sorted(lost)[:5]}")
    verdict.expect(not twice, f"closed twice: {twice[:5]}")


def _money(verdict: Verdict, stand: Stand) -> None:
    """Both books are equal, no limit is passed but by the overruns, and these are counted."""
    charged = stand.books.charged()
    overruns = f"key/{stand.kids['overruns']}"
    over = 0
    rows = stand.books.one("SELECT sum(cost_n) FROM usage")
    for table in ("usage_hour", "usage_day"):
        rolled = stand.books.one("SELECT sum(cost_n) FROM " + table)
        verdict.expect(rolled == rows, f"{table} says {rolled}, the rows {rows}")
    for row in stand.books.ledger():
        verdict.expect(charged.get(row.budget, 0) == row.posted, f"two books: {row}, usage {charged.get(row.budget)}")
        verdict.expect(row.excess == max(0, row.posted - row.limit), f"excess is not what is over: {row}")
        if not row.budget.startswith(overruns):
            over += max(0, row.posted - row.limit, row.excess)
    verdict.figures["nano-USD over"] = over
    verdict.expect(over == 0, f"{over} nano-USD over a limit")
    verdict.expect(not stand.faults, f"sums that did not hold: {stand.faults[:3]}")
    verdict.figures["overruns"] = stand.books.count("u.flag = 'overrun'")
    verdict.figures["charged at worst case"] = stand.books.count("g.code = 'worker_lost'")
    verdict.figures["overruns alarmed"] = stand.log().count('"event":"overrun"')
    verdict.expect(verdict.figures["overruns"], "no overrun happened: the leg does not exercise them")
    verdict.expect(verdict.figures["overruns alarmed"], "overruns happened and nobody said so")


def _invoice(verdict: Verdict, stand: Stand) -> None:
    """What the provider billed is in our books: at its price or more, where a worker died of which nobody heard."""
    billed = stand.provider.invoice()["gpt-4o-mini"]
    theirs = sum(billed[kind] * price for kind, price in _PRICES.items())
    ours = stand.books.cost("gpt-4o-mini")
    verdict.figures["billed"], verdict.figures["in our books"] = theirs, ours
    # A call whose caller gave up, or whose answer came too late, on a worker that slept, is charged for what was seen.
    unseen = stand.books.unseen("gpt-4o-mini")
    verdict.expect(theirs <= ours + unseen, f"the provider billed {theirs}, our books have {ours}, unseen {unseen}")


def _refusals(verdict: Verdict, stand: Stand, tally: Tally) -> None:
    verdict.expect("invalid_api_key" not in _codes(tally), "a worker did not know a key")
    roomy = tally.of(*ROOMY).get("insufficient_quota", 0)
    false = false_refusals(
        [one for one in tally.refusals if one.part == "tight"], stand.books.spans(stand.kids["tight"]), stand.limits
    )
    verdict.figures["429 on roomy budgets"] = roomy
    verdict.figures["429 that would have fitted"] = len(false)
    verdict.expect(roomy == 0, f"{roomy} refusals of budgets that always fit")
    verdict.expect(not false, f"refused, though it fitted all the while: {false[:3]}")
    early = [one for one in tally.refusals if one.part == "overruns" and one.source[:4] != "key/"]
    verdict.expect(not early, f"a refusal names another budget: {early[:3]}")


def false_refusals(
    refusals: Sequence[Refusal], spans: Sequence[tuple[int, int, int, int]], limits: Sequence[tuple[int, int]]
) -> list[Refusal]:
    """Refusals that no instant between their sending and their hearing justifies.

    Committed at an instant is what ended holds were charged and open ones hold; a hold counts as open from its
    request's arrival. A refusal is false where, all the while, that and one more call's worst case are within the
    lowest limit that was in force. `spans` are (begun, ended, held, charged), `limits` (since, limit).
    """
    if not spans:
        return list(refusals)
    need = max(held for _, _, held, _ in spans)
    changes = sorted(
        [(begun, held) for begun, _, held, _ in spans] + [(ended, charged - held) for _, ended, held, charged in spans]
    )
    instants = [at for at, _ in changes]
    totals: list[int] = []
    for _, amount in changes:
        totals.append((totals[-1] if totals else 0) + amount)
    false = []
    for one in refusals:
        first = bisect.bisect_right(instants, one.sent_ns - _NOISE_NS) - 1
        last = bisect.bisect_right(instants, one.heard_ns + _NOISE_NS)
        most = max(totals[max(0, first) : last], default=0)
        if most + need <= _lowest(limits, one.sent_ns, one.heard_ns):
            false.append(one)
    return false


def _lowest(limits: Sequence[tuple[int, int]], begun: int, ended: int) -> int:
    """The lowest limit in force at any instant between the two."""
    before = [limit for since, limit in limits if since <= begun]
    between = [limit for since, limit in limits if begun < since <= ended]
    return min([*before[-1:], *between])


def _machine(verdict: Verdict, stand: Stand) -> None:
    """No boot ended with something missing, nothing was rejected, no traceback, and what was changed is there."""
    try:
        wait_for(lambda: stand.books.one("SELECT count(*) FROM boot WHERE state = 'live'") <= WORKERS, REST_SECONDS)
    except AssertionError:
        verdict.wrong.append("dead boots were not closed")
    boots = dict(stand.books.rows("SELECT state, count(*) FROM boot GROUP BY state"))
    verdict.figures["boots closed"] = boots.get("closed", 0)
    verdict.expect(not boots.get("lost"), f"boots were given up: {boots}")
    verdict.expect(stand.books.one("SELECT count(*) FROM journal_rejects") == 0, "frames were rejected")
    log = stand.log()
    verdict.expect("Traceback" not in log, "a traceback in the log")
    verdict.expect('"end":"incomplete"' not in log and '"end": "incomplete"' not in log, "an incomplete journal")
    audited = stand.running.cli("audit", "verify", check=False)
    verdict.expect(audited.returncode == 0, f"the audit trail: {audited.stdout} {audited.stderr}")
    teams = {name for (name,) in stand.books.rows("SELECT name FROM team")}
    verdict.expect(set(stand.told) <= teams, f"acknowledged changes lost: {sorted(set(stand.told) - teams)}")


def _codes(tally: Tally) -> dict[str, int]:
    return tally.of(*{part for part, _ in tally.codes})
