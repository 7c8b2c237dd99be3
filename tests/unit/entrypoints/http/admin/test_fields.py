import contextlib
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import UNSET

from clavero.control.keys import KeyEdit
from clavero.domain.budgets import Window
from clavero.domain.money import LARGEST, NANO
from clavero.domain.refusals import InvalidValue
from clavero.entrypoints.http.admin.fields import (
    Body,
    Once,
    edit_of,
    exact,
    instant_ns,
    limit_of,
    moment,
    nano_of,
    span_ns,
)

SECOND = 10**9
NOW = 1_795_000_000 * SECOND  # 2026-11-18T11:06:40Z


class Edit(Body):
    owner: str | None = None
    purpose: str | None = None
    reason: str = ""


def test_moments_are_utc_and_never_is_null() -> None:
    assert moment(NOW + 999) == "2026-11-18T11:06:40Z"
    assert moment(0) is None
    assert exact(NOW + 1_234_567) == "2026-11-18T11:06:40.001234Z"


@pytest.mark.parametrize(("text", "seconds"), [("", 0), ("0", 0), ("90s", 90), ("1d12h", 129_600), ("24h", 86_400)])
def test_spans_are_read_as_people_write_them(text: str, seconds: int) -> None:
    assert span_ns(text, "grace") == seconds * SECOND


@pytest.mark.parametrize("text", ["-1h", "1", "1y", "h", "1.5h", "9" * 40 + "d", "1h x"])
def test_a_span_that_is_none_names_its_field(text: str) -> None:
    with pytest.raises(InvalidValue) as refused:
        span_ns(text, "grace")
    assert refused.value.field == "grace"


@pytest.mark.parametrize(
    ("text", "second"),
    [
        ("1h", 1_795_000_000 - 3600),
        ("2026-11-18", 1_794_960_000),
        ("2026-11-18T11:06:40Z", 1_795_000_000),
        ("2026-11-18T11:06:40", 1_795_000_000),
        ("2026-11-18T12:06:40+01:00", 1_795_000_000),
    ],
)
def test_instants_are_utc_unless_they_say_otherwise(text: str, second: int) -> None:
    assert instant_ns(text, "since", NOW) == second * SECOND


@given(st.text(max_size=30))
def test_no_text_breaks_the_reading_of_instants(text: str) -> None:
    with contextlib.suppress(InvalidValue):
        assert isinstance(instant_ns(text, "since", NOW), int)


def test_limits_have_an_amount_and_a_window() -> None:
    assert limit_of("$10/day") == (10 * NANO, Window.DAY)
    with pytest.raises(InvalidValue):
        limit_of("$10/night")


@given(st.decimals(allow_nan=True, allow_infinity=True))
def test_dollars_become_whole_nano_or_are_refused(dollars: Decimal) -> None:
    try:
        nano = nano_of(dollars, "limit_usd")
    except InvalidValue:
        return
    assert 0 <= nano <= LARGEST
    assert Decimal(nano) == dollars * NANO


def test_an_edit_has_what_was_sent_and_no_more() -> None:
    edit = edit_of(KeyEdit, Edit.model_validate({"owner": "ben", "purpose": None, "reason": "x"}), expires_ns=UNSET)
    assert edit == KeyEdit(owner="ben")
    assert edit_of(KeyEdit, Edit(), expires_ns=0).expires_ns == 0


def test_a_secret_is_in_no_cache() -> None:
    assert Once({"secret": "x"}).headers["cache-control"] == "no-store"
