from tests.unit.gateway.money import Till, budget, ledger

from clavero.domain.budgets import RowKey, Subject, Window
from clavero.domain.ledger import Answer
from clavero.gateway.leases import NO_PURSE, Refused, Waiter
from clavero.gateway.slices import IDLE_NS

KEY, TEAM, ALL = (
    budget(Subject.KEY),
    budget(Subject.TEAM, Window.MONTH),
    budget(Subject.ORGANISATION, Window.FOREVER),
)
KEYS = (KEY, TEAM, ALL)


def free(till: Till) -> list[int]:
    return [mine.free for mine in till.leases.slices.values()]


def test_all_rows_are_taken_or_none() -> None:
    till = Till(ledger(*KEYS)[0])
    assert till.get((KEY, TEAM), 10).done is True
    before = free(till)
    assert not till.leases.take(till.leases.purse(KEYS, till.now), 1)
    assert free(till)[:2] == before
    assert till.leases.take(till.leases.purse((KEY, TEAM), till.now), 1)


def test_the_first_need_brings_a_slice_that_serves_the_next_ones() -> None:
    till = Till(ledger(*KEYS)[0])
    till.get(KEYS, 10)
    till.get(KEYS, 10)
    purse = till.leases.purse(KEYS, till.now)
    assert till.leases.take(purse, 10)
    assert max(free(till)) <= 30


def test_a_slice_that_runs_low_is_filled_before_it_is_empty() -> None:
    till = Till(ledger(*KEYS)[0])
    till.get(KEYS, 10)
    till.get(KEYS, 10)
    purse, waited = till.leases.purse(KEYS, till.now), 0
    for _ in range(20):
        if not till.leases.take(purse, 10):
            waited += 1
            till.get(KEYS, 10)
        if till.leases.thirsty:
            till.talk()
    assert waited == 0


def test_thirst_is_quenched_once_where_there_is_nothing_more() -> None:
    till = Till(ledger(budget(Subject.KEY, limit_n=35))[0])
    for _ in range(2):
        till.get((KEY,), 10)
    till.talk()
    assert till.leases.take(till.leases.purse((KEY,), till.now), 5)
    assert not till.leases.thirsty


def test_a_row_that_somebody_waits_for_has_no_fast_path() -> None:
    till = Till(ledger(*KEYS)[0])
    till.get((KEY,), 10)
    till.leases.give_back(till.leases.purse((KEY,), till.now), 10)
    waiter = Waiter("r", till.leases.purse((KEY, TEAM), till.now), 500)
    till.leases.wait(waiter)
    assert not till.leases.take(till.leases.purse((KEY,), till.now), 1)
    till.leases.leave(waiter)
    till.leases.leave(waiter)  # leaving twice is leaving once
    assert till.leases.take(till.leases.purse((KEY,), till.now), 1)


def test_a_settlement_below_its_hold_frees_the_rest_only_when_told() -> None:
    till = Till(ledger(*KEYS)[0])
    till.get((KEY,), 10)
    purse = till.leases.purse((KEY,), till.now)
    before = free(till)[0]
    rows = till.leases.settle(purse, 10, 4)
    assert rows == ((KEY.id, purse.keys[0].period, 4, 4),)
    assert free(till)[0] == before
    till.leases.slack(purse, 10, 4)
    assert free(till)[0] == before + 6


def test_an_overrun_drains_what_is_free_and_says_what_it_covers() -> None:
    till = Till(ledger(*KEYS)[0])
    till.get((KEY,), 10)
    purse = till.leases.purse((KEY,), till.now)
    spare = free(till)[0]
    rows = till.leases.settle(purse, 10, 10 + spare + 7)
    assert rows[0][2:] == (17 + spare, 10 + spare)
    assert free(till) == [0]
    till.leases.slack(purse, 10, 17 + spare)
    assert free(till) == [0]


def test_idle_slices_go_back_after_a_second_and_the_row_is_forgotten() -> None:
    book, clock = ledger(*KEYS)
    till = Till(book)
    till.get((KEY,), 10)
    till.leases.give_back(till.leases.purse((KEY,), till.now), 10)
    for _ in range(3):
        clock.advance(0.4)
        till.talk()
    assert book.rows[till.leases.purse((KEY,), till.now).keys[0]].leased > 0
    clock.advance(IDLE_NS / 1e9)
    till.talk()
    assert [row.leased for row in book.rows.values()] == [0]
    till.talk()
    assert till.leases.slices == {}


def test_a_row_that_was_forgotten_begins_where_the_ledger_stands() -> None:
    book, clock = ledger(*KEYS)
    till = Till(book)
    old = till.leases.purse((KEY,), till.now)
    till.get((KEY,), 10)
    till.leases.give_back(old, 10)
    for _ in range(4):
        clock.advance(0.9)
        till.talk()
    assert till.leases.slices == {}
    waiter = till.get((KEY,), 20)
    assert waiter.done is True
    [lease] = [lease for (_, key), lease in book.leases.items() if key == old.keys[0]]
    assert free(till)[0] + 20 == lease.share
    waiter = Waiter("late", old, 5)  # somebody still has the purse of before
    till.leases.wait(waiter)
    assert waiter.purse.slices[0] is till.leases.slices[old.keys[0]]


def test_the_last_talk_gives_everything_back() -> None:
    book, _ = ledger(*KEYS)
    till = Till(book)
    till.get(KEYS, 10)
    till.leases.give_back(till.leases.purse(KEYS, till.now), 10)
    till.talk(last=True)
    assert [row.leased for row in book.rows.values()] == [0, 0, 0]


def test_a_lost_answer_is_found_again() -> None:
    book, _ = ledger(*KEYS)
    till = Till(book)
    waiter = Waiter("r", till.leases.purse((KEY,), till.now), 10)
    till.leases.wait(waiter)
    till.lender.talk(till.leases.talk(0, till.now))  # and nobody hears the answer
    till.leases.leave(waiter)
    till.talk()
    assert free(till) == [next(iter(book.rows.values())).leased]


def test_a_window_that_has_ended_goes_back_and_the_next_is_another_row() -> None:
    book, clock = ledger(*KEYS)
    till = Till(book)
    till.get((KEY, TEAM), 10)
    first = till.leases.purse((KEY, TEAM), till.now)
    till.leases.give_back(first, 10)
    assert till.leases.purse((KEY, TEAM), till.now) is not first  # another tuple of the same budgets
    clock.advance(86_400)
    second = till.leases.purse((KEY, TEAM), till.now)
    assert second.keys[0].period == first.keys[0].period + 86_400
    assert second.slices[1] is first.slices[1]
    till.talk()
    assert book.rows[first.keys[0]].leased == 0


def test_a_purse_is_worked_out_once_for_a_set_of_budgets() -> None:
    till = Till(ledger(*KEYS)[0])
    budgets = (KEY, TEAM)
    assert till.leases.purse(budgets, till.now) is till.leases.purse(budgets, till.now)


def test_refused_with_proof_it_hears_what_could_be_had() -> None:
    till = Till(ledger(*KEYS)[0])
    till.get((KEY,), 10)
    refused = till.get((KEY, TEAM), 5000).done
    assert isinstance(refused, Refused)
    assert refused.answer is Answer.REFUSED
    assert refused.left == 990


def test_a_budget_that_is_gone_says_so() -> None:
    book, _ = ledger(*KEYS)
    till = Till(book)
    till.get((KEY,), 10)
    book.delete(KEY.id)
    refused = till.get((KEY,), 500).done
    assert isinstance(refused, Refused)
    assert refused.answer is Answer.GONE


def test_what_another_worker_waits_for_is_urgent_until_it_is_given_back_and_answered() -> None:
    book, _ = ledger(*KEYS)
    mine, other = Till(book, "a"), Till(book, "b")
    mine.get((KEY,), 10)
    mine.leases.give_back(mine.leases.purse((KEY,), mine.now), 10)
    assert other.get((KEY,), 995).done is False
    states = []
    for _ in range(2):
        mine.talk()
        states.append(mine.leases.urgent)
    assert states == [True, False]
    other.talk()
    assert other.leases.waiting == {}


def test_a_row_in_excess_keeps_nothing_even_for_its_own_waiter() -> None:
    book, _ = ledger(*KEYS)
    till = Till(book)
    till.get((KEY,), 10)
    till.leases.give_back(till.leases.purse((KEY,), till.now), 10)
    held = free(till)[0]
    book.apply_limit(KEY.id, held - 1)
    till.get((KEY,), held)
    till.talk()
    assert free(till) == [0]


def test_nothing_is_taken_from_an_empty_purse() -> None:
    till = Till(ledger()[0])
    assert till.leases.take(NO_PURSE, 0)
    assert till.leases.settle(NO_PURSE, 0, 7) == ()
    assert RowKey(KEY.id, 0) not in till.leases.slices


def test_a_crowd_is_asked_for_in_turns_oldest_first() -> None:
    till = Till(ledger(*KEYS)[0])
    purse = till.leases.purse((KEY,), till.now)
    for number in range(300):
        till.leases.wait(Waiter(f"r{number:03}", purse, 1))
    assert [waiter.request_id for waiter in till.talk()] == [f"r{number:03}" for number in range(200)]
    assert len(till.talk()) == 100


def test_an_answer_tells_what_is_kept_and_what_ended_holds_left_over() -> None:
    till = Till(ledger(*KEYS)[0])
    till.get((KEY,), 10)
    purse = till.leases.purse((KEY,), till.now)
    [row] = purse.keys
    assert till.leases.talk(0, till.now).acked == {}, "nobody waits"
    till.talk()
    till.leases.settle(purse, 10, 4)
    other = Till(till.ledger, "b")
    assert other.get((KEY,), 995).done is False
    till.talk()
    [mine] = purse.slices
    talk = till.leases.talk(0, till.now)
    ack = talk.acked[row]
    till.leases.hear(till.lender.talk(talk))
    assert (ack.number, ack.base, ack.slack) == (mine.want, 0, 6), "its settlement is not on file yet"
    till.leases.slack(purse, 10, 4)
    assert (mine.freed, mine.free) == (6, 6)
    assert till.leases.talk(0, till.now).acked[row].base == 6, "and it is given back at once"


def test_nothing_is_said_of_a_row_whose_last_answer_was_lost() -> None:
    till = Till(ledger(*KEYS)[0])
    till.leases.wait(Waiter("r1", till.leases.purse((KEY,), till.now), 10))
    till.lender.talk(till.leases.talk(0, till.now))  # and nobody hears what was granted
    talk = till.leases.talk(0, till.now)
    assert talk.acked == {}
    assert [key.budget for key in talk.named()] == [KEY.id]


def test_a_refusal_is_not_believed_when_as_much_came_back_while_it_was_under_way() -> None:
    till = Till(ledger(budget(Subject.KEY, limit_n=30))[0])
    key = budget(Subject.KEY, limit_n=30)
    till.get((key,), 30)
    purse = till.leases.purse((key,), till.now)
    till.leases.wait(waiter := Waiter("r2", purse, 20))
    talk = till.leases.talk(0, till.now)
    till.leases.settle(purse, 30, 10)
    assert till.leases.hear(till.lender.talk(talk)) == []
    till.leases.slack(purse, 30, 10)
    till.talk()
    assert waiter.done is True


def test_what_a_caller_who_left_was_granted_on_the_way_counts_for_the_others() -> None:
    till = Till(ledger(budget(Subject.KEY, limit_n=30))[0])
    key = budget(Subject.KEY, limit_n=30)
    purse = till.leases.purse((key,), till.now)
    leaving, staying = Waiter("r1", purse, 25), Waiter("r2", purse, 20)
    till.leases.wait(leaving)
    till.leases.wait(staying)
    talk = till.leases.talk(0, till.now)
    till.leases.leave(leaving)
    assert till.leases.hear(till.lender.talk(talk)) == []
    till.talk()
    assert staying.done is True


def test_a_row_that_somebody_waits_for_is_not_forgotten_and_an_empty_lease_goes_from_the_ledger_too() -> None:
    book, clock = ledger(*KEYS)
    till, other = Till(book), Till(book, "b")
    till.get((KEY,), 10)
    [key] = till.leases.slices
    till.leases.give_back(till.leases.purse((KEY,), till.now), 10)
    clock.advance(1.1)
    other.get((KEY,), 5000)
    till.talk()
    clock.advance(1.1)
    till.talk()
    assert key in till.leases.slices
    clock.advance(3)
    for _ in range(3):
        till.talk()
    assert key not in till.leases.slices
    assert not [one for one in book.leases if one[0] == till.leases.boot]
