"""Each rule of the ledger (docs/explanation/ledger.md): where it is kept, and which test tries it. A stale row fails."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE, TESTS = ROOT / "src" / "clavero", ROOT / "tests"
PAGE = (ROOT / "docs" / "explanation" / "ledger.md").read_text("utf-8")

LEASES, BANK, RECLAIM = "unit/gateway/test_leases.py", "unit/gateway/test_bank.py", "unit/control/test_reclaim.py"
LENDER, JOURNAL = "contract/adapters/storage/test_lender.py", "contract/adapters/storage/test_journal.py"
WORKER, LEDGER = "property/test_leases_mutants.py", "property/test_ledger_mutants.py"
MACHINES = "e2e/test_machines.py"

RULES: dict[str, tuple[str, tuple[tuple[str, str], ...]]] = {
    "L1": ("bootstrap/gateway.py", ((JOURNAL, "test_the_lock_tells_the_living_from_the_dead"),)),
    "L2": ("gateway/leases.py", (("property/test_leases.py", "test_the_worker_never_holds_more_than_it_was_lent"),)),
    "L8": ("adapters/storage/journal.py", ((WORKER, "test_call_before_journal"),)),
    "L9": ("adapters/storage/journal.py", ((WORKER, "test_torn_middle"), (WORKER, "test_settle_not_queued"))),
    "L11": (
        "adapters/storage/lender.py",
        (
            (LEASES, "test_a_lost_answer_is_found_again"),
            (
                "contract/adapters/storage/test_lender_postgres.py",
                "test_a_process_that_is_stopped_inside_a_transaction_holds_the_others_up_for_a_second_and_no_longer",
            ),
        ),
    ),
    "L12": ("gateway/leases.py", ((WORKER, "test_return_after_commit"), (WORKER, "test_slack_before_its_settlement"))),
    "L13": ("gateway/leases.py", ((WORKER, "test_budgets_one_by_one"),)),
    "L14": ("gateway/leases.py", ((WORKER, "test_a_small_call_does_not_pass_a_waiting_one"),)),
    "L16": ("gateway/slices.py", ((WORKER, "test_no_idle_return"), (WORKER, "test_prefetch_while_wanted"))),
    "L17": ("domain/lending.py", ((LENDER, "test_who_leaves_takes_the_want_along"),)),
    "L18": ("domain/lending.py", (("property/test_refusals.py", "test_nobody_is_refused_who_always_fitted"),)),
    "L20": ("gateway/leases.py", ((WORKER, "test_an_overrun_drains_what_covers_it"),)),
    "L21": ("gateway/bank.py", ((BANK, "test_the_ledger_clock_follows_the_database_and_never_goes_back"),)),
    "L23": ("gateway/bank.py", ((BANK, "test_without_a_good_talk_for_too_long_nothing_is_held"),)),
    "L24": (
        "entrypoints/gateway_main.py",
        (
            (LENDER, "test_a_boot_that_is_not_live_is_fenced"),
            (
                MACHINES,
                "test_a_machine_that_was_stopped_for_too_long_finds_itself_given_up_and_pays_from_what_was_lost",
            ),
        ),
    ),
    "L25": ("adapters/storage/journal.py", ((RECLAIM, "test_a_seal_is_proof_though_the_lock_is_still_held"),)),
    "L26": ("control/ingest.py", ((LEDGER, "test_unlink_first_loses_a_segment_when_the_commit_fails"),)),
    "L27": ("control/reclaim.py", ((LEDGER, "test_read_then_dead_loses_what_was_written_in_between"),)),
    "L28": (
        "control/reclaim.py",
        (
            (LEDGER, "test_expiry_frees_lends_the_same_money_twice"),
            (MACHINES, "test_a_machine_that_is_killed_whole_is_written_off_and_comes_back_with_its_journal"),
        ),
    ),
    "L29": ("control/reclaim.py", ((LEDGER, "test_lost_journal_is_empty_frees_what_was_spent"),)),
    "L30": ("adapters/storage/ledger_sql.py", ((LEDGER, "test_limit_poison_makes_a_lowered_limit_impossible"),)),
}
ELSEWHERE = {"L31"}  # what a restored database is told: with `clavero db restore`


def test_every_rule_of_the_page_has_its_row() -> None:
    assert set(re.findall(r"\*\*(L\d+)\*\*", PAGE)) == RULES.keys() | ELSEWHERE


@pytest.mark.parametrize("rule", RULES)
def test_the_code_cites_the_rule_and_the_tests_exist(rule: str) -> None:
    code, tests = RULES[rule]
    assert re.search(rf"\b{rule}\b", (SOURCE / code).read_text("utf-8")), f"{code} does not say that it keeps {rule}"
    for file, name in tests:
        assert f"def {name}(" in (TESTS / file).read_text("utf-8"), f"{file} has no {name}"
