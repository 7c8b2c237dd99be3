"""Which test notices the loss of which protection: the mutants of the protocol's model, each with its counterpart here.

A mutant that a worker and the database could both be is told to both. The tests put the mutant in and must fail with it.
"""

import importlib
import inspect

import pytest

DATABASE, WORKER, REFUSALS = "test_ledger_mutants", "test_leases_mutants", "test_refusals"

CAUGHT: dict[str, tuple[tuple[str, str], ...]] = {
    "check_then_add": ((DATABASE, "test_check_then_add_lends_what_another_has_taken_meanwhile"),),
    "expiry_frees": ((DATABASE, "test_expiry_frees_lends_the_same_money_twice"),),
    "return_after_commit": ((WORKER, "test_return_after_commit"),),
    "blind_return_retry": (
        (WORKER, "test_blind_return_retry"),
        (DATABASE, "test_blind_return_retry_gives_back_twice"),
    ),
    "unknown_is_granted": ((WORKER, "test_unknown_is_granted"),),
    "unknown_is_refused": ((WORKER, "test_unknown_is_refused"),),
    "call_before_journal": ((WORKER, "test_call_before_journal"),),
    "settle_not_queued": ((WORKER, "test_settle_not_queued"),),
    "torn_middle": ((WORKER, "test_torn_middle"),),
    "read_then_dead": ((DATABASE, "test_read_then_dead_loses_what_was_written_in_between"),),
    "free_open_holds": ((DATABASE, "test_free_open_holds_forgets_a_call_that_has_left"),),
    "no_offset_cas": ((DATABASE, "test_no_offset_cas_posts_a_frame_twice"),),
    "two_tx_ingest": ((DATABASE, "test_two_tx_ingest_loses_frames_when_it_dies_in_between"),),
    "worker_id_key": ((DATABASE, "test_worker_id_key_gives_a_new_boot_what_the_last_one_had"),),
    "settle_pays_new_period": ((WORKER, "test_settle_pays_new_period"),),
    "budgets_one_by_one": ((WORKER, "test_budgets_one_by_one"),),
    "overrun_poison": ((DATABASE, "test_overrun_poison_stops_ingest"),),
    "limit_poison": ((DATABASE, "test_limit_poison_makes_a_lowered_limit_impossible"),),
    "delete_cascades": ((DATABASE, "test_delete_cascades_forgets_what_is_out"),),
    "unlink_first": ((DATABASE, "test_unlink_first_loses_a_segment_when_the_commit_fails"),),
    "lost_journal_is_empty": ((DATABASE, "test_lost_journal_is_empty_frees_what_was_spent"),),
    "late_posts_twice": ((DATABASE, "test_late_posts_twice_charges_what_was_written_off_again"),),
    "prefetch_while_wanted": (
        (WORKER, "test_prefetch_while_wanted"),
        (DATABASE, "test_prefetch_while_wanted_lets_somebody_overtake"),
    ),
    "refuse_at_once": (
        (WORKER, "test_refuse_at_once"),
        (DATABASE, "test_refuse_at_once_says_no_though_the_money_is_only_lying_about"),
        (REFUSALS, "test_each_protection_of_the_proof_is_needed"),
    ),
    "no_idle_return": ((WORKER, "test_no_idle_return"),),
    "stop_counts_dead": ((DATABASE, "test_stop_counts_dead_frees_what_a_stopped_worker_goes_on_to_spend"),),
}
ELSEWHERE = {
    "restore_goes_on": "a restored database lends nothing before its journals are read: tests of `clavero db restore`",
}
MUTANTS = 27


def test_every_mutant_has_its_test_or_its_reason() -> None:
    assert len(CAUGHT) + len(ELSEWHERE) == MUTANTS
    assert not CAUGHT.keys() & ELSEWHERE.keys()


@pytest.mark.parametrize("mutant", CAUGHT)
def test_the_test_of_a_mutant_puts_it_in_and_looks_for_its_failure(mutant: str) -> None:
    for module, name in CAUGHT[mutant]:
        source = inspect.getsource(getattr(importlib.import_module(f"tests.property.{module}"), name))
        assert "caught(" in source or "pytest.raises(AssertionError" in source, f"{name} proves nothing about a mutant"
