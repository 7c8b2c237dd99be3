import pytest

from clavero.domain.startup import Exit
from clavero.entrypoints.cli.failure import Failure
from clavero.entrypoints.cli.price import amount


@pytest.mark.parametrize(("text", "sent"), [("0.15", "0.15"), ("$2.50", "2.50"), ("0", "0"), ("0.0375", "0.0375")])
def test_dollars_are_sent_as_they_were_written(text: str, sent: str) -> None:
    assert amount("input", text) == sent


@pytest.mark.parametrize("text", ["", "free", "-1", "NaN", "inf", "1,5"])
def test_what_is_no_amount_is_a_usage_error_with_the_option(text: str) -> None:
    with pytest.raises(Failure) as refused:
        amount("cache_write", text)
    assert refused.value.exit_code is Exit.USAGE
    assert refused.value.fix == "--cache-write 0.15"
