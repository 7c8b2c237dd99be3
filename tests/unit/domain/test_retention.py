import pytest

from clavero.domain.retention import Kept, Retention

DAY_S = 86_400
NOW_S = 20_500 * DAY_S + 5_000


def test_each_kind_is_kept_for_its_own_days_and_today_is_never_forgotten() -> None:
    kept = Retention(records_days=1, rollups_days=30, ledger_days=60)
    assert {kind: kept.first_day(kind, NOW_S) for kind in Kept} == {
        Kept.RECORDS: 20_499, Kept.MINUTES: 20_499, Kept.HOURS: 20_499, Kept.DAYS: 20_470,
        Kept.LEDGER: 20_500 - 91, Kept.CHANGES: 20_493,
    }  # fmt: skip


def test_sums_outlive_their_records_and_the_ledger_outlives_the_sums() -> None:
    kept = Retention(records_days=100, rollups_days=2, ledger_days=1)
    assert kept.first_day(Kept.DAYS, NOW_S) == 20_400
    ledger = kept.first_day(Kept.LEDGER, NOW_S)
    assert ledger is not None
    assert ledger <= 20_400 - 31


@pytest.mark.parametrize(
    ("retention", "for_ever"),
    [
        (Retention(records_days=0), {Kept.RECORDS, Kept.MINUTES, Kept.HOURS, Kept.DAYS, Kept.LEDGER}),
        (Retention(rollups_days=0), {Kept.DAYS, Kept.LEDGER}),
        (Retention(ledger_days=0), {Kept.LEDGER}),
    ],
)
def test_nothing_days_is_for_ever_and_so_is_what_outlives_it(retention: Retention, for_ever: set[Kept]) -> None:
    assert {kind for kind in Kept if retention.first_day(kind, NOW_S) is None} == for_ever


def test_more_days_than_there_were_keep_everything() -> None:
    assert Retention(records_days=36_500).first_day(Kept.RECORDS, NOW_S) == 0
