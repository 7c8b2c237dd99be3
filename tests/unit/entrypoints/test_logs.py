import json
import os
import subprocess
import sys

import pytest

from clavero.domain.secret import Secret
from clavero.domain.usage import Exchange, Tokens
from clavero.entrypoints.logs import AccessLog, Log

Capture = pytest.CaptureFixture[str]


def lines(capfd: Capture) -> list[dict[str, object]]:
    return [json.loads(line) for line in capfd.readouterr().err.splitlines()]


@pytest.mark.requirement(30, 38)
def test_a_line_is_one_json_object_without_a_secret(capfd: Capture) -> None:
    key = "sk-" + "a1" * 24
    Log("info", "gateway-1").say("call", request_id="req_1", body=f"sent {key}", deep={"x": [key]}, secret=Secret(key))
    (line,) = lines(capfd)
    assert (line["event"], line["process"], line["level"], line["request_id"]) == ("call", "gateway-1", "info", "req_1")
    assert str(line["ts"]).endswith("Z")
    assert key not in str(line)


def test_lines_below_the_level_are_not_written(capfd: Capture) -> None:
    log = Log("warning", "x")
    log.say("quiet")
    log.say("loud", "error")
    assert [line["event"] for line in lines(capfd)] == ["loud"]


def fail() -> None:
    hidden = "value-of-that-moment"
    raise ValueError("bad" + hidden[:0])


def test_a_failure_says_where_but_not_with_which_values(capfd: Capture) -> None:
    try:
        fail()
    except ValueError as error:
        Log("info", "x").failure("fault", error, request_id="req_2")
    (line,) = lines(capfd)
    assert line["error"] == "ValueError"
    assert "test_logs.py" in str(line["where"])
    assert "value-of-that-moment" not in str(line)


def test_a_log_that_cannot_be_written_is_no_reason_to_fail() -> None:
    program = (
        "import os; os.close(2); from clavero.entrypoints.logs import Log; Log('info', 'x').say('lost'); print('on')"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, check=False, cwd=os.sep)
    assert done.stdout == "on\n"


FIELDS = (
    "ts event request_id key_id key_version service env feature route model_asked model_served provider attempts status "
    "code ttft_ms total_ms overhead_ms tokens_in tokens_out cost_nano_usd outcome"
)


@pytest.mark.requirement(30)
async def test_an_exchange_is_one_line_with_these_fields_and_no_secret(capfd: Capture) -> None:
    log, key = AccessLog(), "sk-" + "a1" * 24
    log(Exchange("req_1", 10**18, model_asked=key, tokens=Tokens(1, 2, 3, 4, 5), cost_n=7, total_us=1500))
    log(Exchange("req_2", 10**18))
    log.flush()
    one, other = lines(capfd)
    assert " ".join(one) == FIELDS
    assert (one["tokens_in"], one["tokens_out"], one["total_ms"], one["cost_nano_usd"]) == (6, 9, 1.5, 7)
    assert key not in str(one)
    assert other["request_id"] == "req_2"
