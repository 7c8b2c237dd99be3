"""The id of a request: `req_`, six digits for the second it arrived in, six for its process, six that count.

So ids lie in the order of time, and an id alone says where its record is, whether it may still come, and whether it is
older than what is kept.
"""

import re

_SHAPE = re.compile(r"req_([0-9A-Za-z]{6})[0-9A-Za-z]{12}", re.ASCII)
_DIGITS = {digit: value for value, digit in enumerate("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")}
_OPEN_SECONDS = 3600  # no request is open for longer, whatever its deadlines, retries and waits
_SKEW_SECONDS = 300  # that the clock of the worker may be ahead of ours


def arrived_s(request_id: str) -> int | None:
    """The second of its arrival, UTC; None where the id is none of ours."""
    found = _SHAPE.fullmatch(request_id)
    if found is None:
        return None
    second = 0
    for digit in found[1]:
        second = second * 62 + _DIGITS[digit]
    return second


def may_come(request_id: str, now_s: int) -> bool:
    """Whether a record that is not there may still be on its way."""
    second = arrived_s(request_id)
    return second is not None and -_SKEW_SECONDS <= now_s - second <= _OPEN_SECONDS
