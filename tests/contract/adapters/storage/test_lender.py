"""The contract of `Lender`, on both databases and on the twin in memory."""

import pytest

from clavero.domain.budgets import BudgetId, RowKey
from clavero.domain.ledger import Ack, Answer, Ask, BootId, Fenced, RowState, Talk, Terms
from clavero.ports.ledger import Lender
from clavero.testing.ledgers import Ledger

KEY = RowKey(BudgetId("key/0123456789AB:day"), 86_400)
TEAM = RowKey(BudgetId("team/support:month"), 0)
A, B, C = BootId("a" * 32), BootId("b" * 32), BootId("c" * 32)


def ask(name: str, need: dict[RowKey, int], *, gladly: int = 0, have: dict[RowKey, int] | None = None) -> Ask:
    return Ask(name, need, {key: max(gladly, amount) for key, amount in need.items()}, have or {})


def talk(lender: Lender, boot: BootId, *asks: Ask, returned: dict[RowKey, int] | None = None, **more: object) -> Terms:
    acked = more.get("acked", {})
    assert isinstance(acked, dict)
    tail = more.get("tail", 0)
    assert isinstance(tail, int)
    forgotten = (KEY,) if more.get("forgotten") else ()
    return lender.talk(Talk(boot, 1, tail, returned or {}, acked, asks, forgotten=forgotten))


def ack(number: int, base: int = 0, slack: int = 0) -> dict[RowKey, Ack]:
    """All grants of the key's row are known, and this is what of it was given back, or came back and is kept."""
    return {KEY: Ack(number, base, slack)}


def answer(terms: Terms, name: str) -> Answer:
    return terms.verdicts[name].answer


@pytest.fixture
def key_of_100(ledger: Ledger) -> Ledger:
    ledger.budget(KEY.budget, 100)
    ledger.budget(TEAM.budget, 1000)
    return ledger


def worker(ledger: Ledger, boot: BootId) -> Lender:
    lender = ledger.lender()
    assert lender.register(boot, "w") == 1
    return lender


def test_a_boot_registers_once_however_often_it_is_said(key_of_100: Ledger) -> None:
    lender = worker(key_of_100, A)
    assert lender.register(A, "w") == 1
    assert talk(lender, A).live_workers == 1
    worker(key_of_100, B)
    assert talk(lender, A).live_workers == 2


def test_money_that_is_there_is_granted_and_told_as_totals(key_of_100: Ledger) -> None:
    lender = worker(key_of_100, A)
    terms = talk(lender, A, ask("r1", {KEY: 30, TEAM: 30}))
    assert answer(terms, "r1") is Answer.GRANTED
    expected = RowState(limit=100, posted=0, leased=30, lost=0, excess=0, open=True, granted=30, returned=0, share=30)
    assert terms.rows[KEY] == expected
    assert terms.rows[KEY].headroom == 70
    assert terms.rows[TEAM].share == 30
    assert talk(lender, A, ask("r2", {KEY: 20})).rows[KEY].granted == 50
    assert key_of_100.row(KEY).leased == 50


def test_a_slice_is_had_gladly_within_the_fair_part_of_what_is_left(key_of_100: Ledger) -> None:
    first, second = worker(key_of_100, A), worker(key_of_100, B)
    assert talk(first, A, ask("r1", {KEY: 10}, gladly=15)).rows[KEY].share == 15
    assert talk(second, B, ask("r2", {KEY: 5}, gladly=1000)).rows[KEY].share == 5 + (85 - 5) // 4


def test_a_slice_ahead_of_time_never_waits_and_is_never_refused(key_of_100: Ledger) -> None:
    lender = worker(key_of_100, A)
    ahead = Ask("ahead", {KEY: 0}, {KEY: 40}, {KEY: 0})
    terms = talk(lender, A, ahead)
    assert (answer(terms, "ahead"), terms.rows[KEY].share) == (Answer.GRANTED, 40)
    assert answer(talk(lender, A, ask("r1", {KEY: 60})), "r1") is Answer.GRANTED
    terms = talk(lender, A, ahead)
    assert (answer(terms, "ahead"), terms.rows[KEY].share) == (Answer.GRANTED, 100)


def test_what_the_worker_has_counts_towards_the_need_once(key_of_100: Ledger) -> None:
    lender = worker(key_of_100, A)
    talk(lender, A, ask("r0", {KEY: 10}))
    have = {KEY: 10}
    terms = talk(lender, A, ask("r1", {KEY: 12}, have=have), ask("r2", {KEY: 12}, have=have))
    assert [answer(terms, name) for name in ("r1", "r2")] == [Answer.GRANTED] * 2
    assert terms.rows[KEY].share == 24


def test_all_rows_of_an_ask_are_had_or_none(key_of_100: Ledger) -> None:
    lender = worker(key_of_100, A)
    terms = talk(lender, A, ask("r1", {KEY: 101, TEAM: 101}))
    assert (terms.verdicts["r1"].answer, terms.verdicts["r1"].short) == (Answer.REFUSED, KEY)
    assert key_of_100.row(TEAM).leased == 0


def test_alone_on_a_row_a_short_headroom_is_proof_enough(key_of_100: Ledger) -> None:
    lender = worker(key_of_100, A)
    assert answer(talk(lender, A, ask("r1", {KEY: 90})), "r1") is Answer.GRANTED
    terms = talk(lender, A, ask("r2", {KEY: 11}), acked=ack(0))
    assert (answer(terms, "r2"), terms.verdicts["r2"].short_by, terms.wants) == (Answer.REFUSED, 1, {})
    assert answer(talk(lender, A, ask("r3", {KEY: 10})), "r3") is Answer.GRANTED


def test_who_does_not_know_what_it_was_granted_is_refused_nothing(key_of_100: Ledger) -> None:
    lender = worker(key_of_100, A)
    talk(lender, A, ask("r1", {KEY: 90}))  # if this answer was lost, 90 are nobody's
    assert answer(talk(lender, A, ask("r2", {KEY: 11})), "r2") is Answer.WAIT
    assert answer(talk(lender, A, ask("r2", {KEY: 11}, have={KEY: 90})), "r2") is Answer.GRANTED


def test_a_return_is_a_total_and_is_applied_once(key_of_100: Ledger) -> None:
    lender = worker(key_of_100, A)
    talk(lender, A, ask("r1", {KEY: 30}))
    for _ in range(3):
        terms = talk(lender, A, returned={KEY: 20})
        assert (terms.rows[KEY].share, terms.rows[KEY].leased, terms.rows[KEY].returned) == (10, 10, 20)
    assert talk(lender, A, returned={KEY: 10}).rows[KEY].returned == 20
    assert talk(lender, A, returned={KEY: 30}).rows[KEY].leased == 0


def test_a_return_makes_room_for_an_ask_of_the_same_talk(key_of_100: Ledger) -> None:
    lender = worker(key_of_100, A)
    talk(lender, A, ask("r1", {KEY: 100}))
    assert answer(talk(lender, A, ask("r2", {KEY: 40}), returned={KEY: 40}), "r2") is Answer.GRANTED


def test_a_row_without_budget_is_gone(key_of_100: Ledger) -> None:
    nowhere = RowKey(BudgetId("key/nobody:day"), 0)
    terms = talk(worker(key_of_100, A), A, ask("r1", {KEY: 1, nowhere: 1}))
    assert (terms.verdicts["r1"].answer, terms.verdicts["r1"].short) == (Answer.GONE, nowhere)
    assert nowhere not in terms.rows
    assert terms.rows[KEY].leased == 0


def test_a_deleted_budget_lends_nothing_and_takes_back_what_is_out(key_of_100: Ledger) -> None:
    lender = worker(key_of_100, A)
    talk(lender, A, ask("r1", {KEY: 30}))
    key_of_100.delete(KEY.budget)
    terms = talk(lender, A, ask("r2", {KEY: 1}))
    assert answer(terms, "r2") is Answer.GONE
    assert not terms.rows[KEY].open
    assert talk(lender, A).rows[KEY].leased == 30, "a row that closes is told of unasked"
    assert talk(lender, A, returned={KEY: 30}).rows[KEY].leased == 0


def test_a_budget_that_closed_before_its_row_was_made_is_gone(key_of_100: Ledger) -> None:
    lender = worker(key_of_100, A)
    key_of_100.delete(KEY.budget)
    assert answer(talk(lender, A, ask("r1", {KEY: 1})), "r1") is Answer.GONE


def test_a_lowered_limit_becomes_excess_and_goes_as_money_comes_back(key_of_100: Ledger) -> None:
    lender = worker(key_of_100, A)
    talk(lender, A, ask("r1", {KEY: 80}))
    key_of_100.apply_limit(KEY.budget, 50)
    terms = talk(lender, A)
    assert (terms.rows[KEY].limit, terms.rows[KEY].excess) == (50, 30), "a row in excess is told of unasked"
    assert answer(talk(lender, A, ask("r2", {KEY: 1}), acked=ack(0)), "r2") is Answer.REFUSED
    assert talk(lender, A, returned={KEY: 20}).rows[KEY].excess == 10
    terms = talk(lender, A, ask("r3", {KEY: 10}), returned={KEY: 40})
    assert (terms.rows[KEY].excess, answer(terms, "r3")) == (0, Answer.GRANTED)


def test_a_raised_limit_is_lent_at_once(key_of_100: Ledger) -> None:
    lender = worker(key_of_100, A)
    assert answer(talk(lender, A, ask("r1", {KEY: 150})), "r1") is Answer.REFUSED
    key_of_100.apply_limit(KEY.budget, 200)
    assert answer(talk(lender, A, ask("r1", {KEY: 150})), "r1") is Answer.GRANTED


def test_a_deleted_budget_that_is_made_again_lends_again_and_remembers_what_is_out(key_of_100: Ledger) -> None:
    lender = worker(key_of_100, A)
    talk(lender, A, ask("r1", {KEY: 30}))
    key_of_100.delete(KEY.budget)
    key_of_100.budget(KEY.budget, 40)
    key_of_100.apply_limit(KEY.budget, 40)
    assert answer(talk(lender, A, ask("r2", {KEY: 11}), acked=ack(0)), "r2") is Answer.REFUSED
    assert answer(talk(lender, A, ask("r2", {KEY: 10})), "r2") is Answer.GRANTED


# --- several workers


@pytest.fixture
def spoken_for(key_of_100: Ledger) -> tuple[Ledger, Lender, Lender]:
    """Worker A has lent 80 of 100; worker B has nothing."""
    first, second = worker(key_of_100, A), worker(key_of_100, B)
    talk(first, A, ask("a1", {KEY: 80}))
    return key_of_100, first, second


def test_a_share_of_somebody_else_is_waited_for_and_everybody_hears_of_it(
    spoken_for: tuple[Ledger, Lender, Lender],
) -> None:
    _, first, second = spoken_for
    terms = talk(second, B, ask("b1", {KEY: 50}))
    assert (answer(terms, "b1"), terms.verdicts["b1"].short) == (Answer.WAIT, KEY)
    heard = talk(first, A)
    assert heard.wants == terms.wants
    assert heard.oldest == {KEY: B}


def test_what_comes_back_goes_to_the_one_who_waits(spoken_for: tuple[Ledger, Lender, Lender]) -> None:
    _, first, second = spoken_for
    want = talk(second, B, ask("b1", {KEY: 50})).wants[KEY]
    talk(first, A, returned={KEY: 40}, acked=ack(want))
    terms = talk(second, B, ask("b1", {KEY: 50}, gladly=90))
    assert answer(terms, "b1") is Answer.GRANTED
    assert terms.wants == {}
    assert terms.rows[KEY].share >= 50


def test_money_is_refused_once_every_holder_has_answered_twice(spoken_for: tuple[Ledger, Lender, Lender]) -> None:
    """First for what they can give back, then, after the row was looked at, for what came back to them since."""
    _, first, second = spoken_for
    need = ask("b1", {KEY: 50})
    want = talk(second, B, need).wants[KEY]
    assert answer(talk(second, B, need), "b1") is Answer.WAIT
    talk(first, A, returned={KEY: 10}, acked=ack(want))
    terms = talk(second, B, need)
    assert answer(terms, "b1") is Answer.WAIT
    look = terms.wants[KEY]
    assert look > want
    talk(first, A, acked=ack(look - 1))
    assert answer(talk(second, B, need), "b1") is Answer.WAIT
    talk(first, A, acked=ack(look))
    terms = talk(second, B, need)
    assert (terms.verdicts["b1"].answer, terms.verdicts["b1"].short, terms.wants) == (Answer.REFUSED, KEY, {})


def test_what_came_back_to_a_holder_since_it_answered_may_have_been_enough(
    spoken_for: tuple[Ledger, Lender, Lender],
) -> None:
    _, first, second = spoken_for
    need = ask("b1", {KEY: 50})
    want = talk(second, B, need).wants[KEY]
    talk(first, A, returned={KEY: 10}, acked=ack(want, base=7))
    look = talk(second, B, need).wants[KEY]
    talk(first, A, acked=ack(look, base=7, slack=27))  # 30 and these 20 would have done at some instant, perhaps
    terms = talk(second, B, need)
    assert answer(terms, "b1") is Answer.WAIT
    again = terms.wants[KEY]
    assert again > look, "it is looked at once more"
    talk(first, A, acked=ack(again, base=7, slack=26))
    assert answer(talk(second, B, need), "b1") is Answer.REFUSED


def test_one_look_serves_everybody_who_asked_before_it(spoken_for: tuple[Ledger, Lender, Lender]) -> None:
    ledger, first, second = spoken_for
    third = worker(ledger, C)
    want = talk(second, B, ask("b1", {KEY: 50}), ask("b2", {KEY: 5})).wants[KEY]
    talk(third, C, ask("c1", {KEY: 60}))
    talk(first, A, acked=ack(want))
    look = talk(second, B, ask("b1", {KEY: 50}), ask("b2", {KEY: 5})).wants[KEY]
    talk(first, A, acked=ack(look))
    late = ask("c2", {KEY: 70})
    terms = talk(third, C, ask("c1", {KEY: 60}), late)
    assert [answer(terms, name) for name in ("c1", "c2")] == [Answer.REFUSED, Answer.WAIT]
    terms = talk(second, B, ask("b1", {KEY: 50}), ask("b2", {KEY: 5}))
    assert [answer(terms, name) for name in ("b1", "b2")] == [Answer.REFUSED, Answer.GRANTED]


def test_what_a_holder_keeps_for_its_own_waiter_counts_as_nobodys(spoken_for: tuple[Ledger, Lender, Lender]) -> None:
    _, first, second = spoken_for
    want = talk(second, B, ask("b1", {KEY: 50})).wants[KEY]
    talk(first, A, acked=ack(want, base=-30))  # 30 of its slice are free, and it keeps them
    look = talk(second, B, ask("b1", {KEY: 50})).wants[KEY]
    talk(first, A, acked=ack(look, base=0))  # held since: at the look they were perhaps still free
    assert answer(talk(second, B, ask("b1", {KEY: 50})), "b1") is Answer.WAIT


def test_a_grant_takes_an_acknowledgement_back(key_of_100: Ledger) -> None:
    first, second, third = (worker(key_of_100, boot) for boot in (A, B, C))
    talk(third, C, ask("c1", {KEY: 80}))
    talk(first, A, ask("a1", {KEY: 60}))
    want = talk(second, B, ask("b1", {KEY: 50})).wants[KEY]
    talk(third, C, returned={KEY: 40}, acked=ack(want))
    terms = talk(first, A, ask("a1", {KEY: 60}), acked=ack(want))
    assert answer(terms, "a1") is Answer.GRANTED
    need = ask("b1", {KEY: 50})
    assert talk(second, B, need).wants == {KEY: want}, "the grant came after the answer: there is nothing to look at"
    talk(first, A, acked=ack(want))
    look = talk(second, B, need).wants[KEY]
    assert look > want
    for lender, boot in ((first, A), (third, C)):
        talk(lender, boot, acked=ack(look))
    assert answer(talk(second, B, need), "b1") is Answer.REFUSED


def test_an_empty_lease_is_forgotten_when_its_worker_says_so(spoken_for: tuple[Ledger, Lender, Lender]) -> None:
    ledger, first, _ = spoken_for
    talk(first, A, returned={KEY: 70}, forgotten=True)
    assert ledger.leases()[A, KEY].share == 10, "one that is not empty stays"
    talk(first, A, returned={KEY: 80})
    talk(first, A, forgotten=True)
    assert ledger.leases() == {}
    assert talk(first, A, ask("a2", {KEY: 5})).rows[KEY].granted == 5


def test_nobody_overtakes_an_older_want(spoken_for: tuple[Ledger, Lender, Lender]) -> None:
    _, first, second = spoken_for
    talk(second, B, ask("b1", {KEY: 50}))
    assert answer(talk(first, A, ask("a2", {KEY: 5})), "a2") is Answer.WAIT
    assert answer(talk(first, A, ask("a2", {KEY: 5}, have={KEY: 5})), "a2") is Answer.WAIT


def test_two_asks_of_one_talk_wait_in_their_order(spoken_for: tuple[Ledger, Lender, Lender]) -> None:
    _, first, second = spoken_for
    terms = talk(second, B, ask("b1", {KEY: 50}), ask("b2", {KEY: 5}))
    assert [answer(terms, name) for name in ("b1", "b2")] == [Answer.WAIT] * 2
    talk(first, A, returned={KEY: 30})
    terms = talk(second, B, ask("b2", {KEY: 5}), ask("b1", {KEY: 50}))
    assert [answer(terms, name) for name in ("b2", "b1")] == [Answer.WAIT, Answer.GRANTED]


def test_nothing_is_lent_ahead_while_somebody_waits(spoken_for: tuple[Ledger, Lender, Lender]) -> None:
    ledger, first, second = spoken_for
    third = worker(ledger, C)
    talk(second, B, ask("b1", {KEY: 50}))
    talk(third, C, ask("c1", {KEY: 10}))
    talk(first, A, returned={KEY: 80})
    assert talk(second, B, ask("b1", {KEY: 50}, gladly=100)).rows[KEY].share == 50


def test_who_leaves_takes_the_want_along(spoken_for: tuple[Ledger, Lender, Lender]) -> None:
    _, first, second = spoken_for
    talk(second, B, ask("b1", {KEY: 50}))
    assert talk(second, B).wants == {}
    assert answer(talk(first, A, ask("a2", {KEY: 5})), "a2") is Answer.GRANTED


def test_an_old_want_blocks_nobody_and_is_taken_up_again_as_a_new_one(
    spoken_for: tuple[Ledger, Lender, Lender],
) -> None:
    ledger, first, second = spoken_for
    want = talk(second, B, ask("b1", {KEY: 50})).wants[KEY]
    ledger.grow_old(2.5)
    assert answer(talk(first, A, ask("a2", {KEY: 5})), "a2") is Answer.GRANTED
    assert talk(second, B, ask("b1", {KEY: 50})).wants[KEY] > want


# --- fencing


def test_a_boot_that_is_not_live_is_fenced(key_of_100: Ledger) -> None:
    lender = worker(key_of_100, A)
    talk(lender, A, ask("r1", {KEY: 10}))
    key_of_100.end(A)
    for _ in range(2):
        with pytest.raises(Fenced):
            talk(lender, A, ask("r2", {KEY: 10}), returned={KEY: 10})
    with pytest.raises(Fenced):
        lender.register(A, "w")
    assert key_of_100.row(KEY).leased == 10


def test_an_unknown_boot_and_another_incarnation_are_fenced(key_of_100: Ledger) -> None:
    lender = worker(key_of_100, A)
    with pytest.raises(Fenced):
        talk(lender, B)
    with pytest.raises(Fenced):
        lender.talk(Talk(A, 2, 0, {}, {}))


def test_a_talk_is_a_heartbeat_and_the_tail_never_shrinks(key_of_100: Ledger) -> None:
    lender = worker(key_of_100, A)
    talk(lender, A, tail=70)
    key_of_100.grow_old(60)
    before = key_of_100.heartbeat(A)
    talk(lender, A, tail=50)
    assert key_of_100.heartbeat(A) > before
    assert key_of_100.tail(A) == 70
