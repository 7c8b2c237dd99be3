"""What the stages are given: the live view and the plugs, wired once in `bootstrap/gateway`."""

from collections.abc import Callable

from msgspec import Struct

from clavero.domain.attempts import RetryBudget, Rules
from clavero.domain.errors import Problem
from clavero.domain.usage import Exchange
from clavero.gateway.bank import Bank
from clavero.gateway.tally import Tally
from clavero.gateway.trail import Trail, UnderWay
from clavero.gateway.view import View
from clavero.ports.clock import Clock, Dice
from clavero.ports.journal import Journal
from clavero.ports.upstreams import Deadlines, Upstreams
from clavero.vault.fingerprint import Fingerprints

Answer = tuple[int, list[tuple[str, str]], bytes]  # status, headers, body
Words = Callable[[Problem, Trail], Answer]  # a problem in the caller's dialect
Aside = Callable[[Problem, Trail], bytes]  # a problem inside a stream that has begun


class Plugs(Struct):
    """Everything outside an exchange that its stages touch."""

    view: View
    clock: Clock
    dice: Dice
    fingerprints: Fingerprints
    bank: Bank
    journal: Journal
    upstreams: Upstreams
    under_way: UnderWay
    tally: Tally
    words: Words
    aside: Aside
    rules: Rules
    deadlines: Deadlines
    retry_budgets: dict[str, RetryBudget]
    report: Callable[[Exception, str], None]  # a fault of ours, and the request it happened to
    version: str
    access: Callable[[Exchange], None] | None = None  # hears of every exchange that ended
