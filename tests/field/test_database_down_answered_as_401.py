"""With the database down, or its connections used up, callers were told that their key was bad
(BerriAI/litellm#34483, BerriAI/litellm#38121): clients then drop a key that is fine, or page its owner.

Whatever is our fault answers 403 (a price that an admin has to set) or 5xx, never 401; and 401 is about keys alone.
"""

from clavero.domain.catalogue import problems
from clavero.domain.errors import Fault
from clavero.entrypoints.http.errors import codes_of, status_of


def test_our_own_failures_never_blame_the_key() -> None:
    ours = {code: status_of(kind()) for code, kind in problems().items() if kind.fault is Fault.OURS}
    assert {"ledger_unavailable", "storage_full", "budget_busy", "internal_error"} <= ours.keys()
    assert all(status >= 500 for code, status in ours.items() if code != "unpriced_model")
    assert ours["unpriced_model"] == 403


def test_401_speaks_of_keys_alone() -> None:
    assert all("key" in code for code in codes_of(401))


def test_the_database_is_busy_or_away_with_503() -> None:
    assert {"ledger_unavailable", "storage_full", "budget_busy"} <= set(codes_of(503))
