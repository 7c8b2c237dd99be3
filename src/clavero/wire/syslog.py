"""Rows of the audit trail as syslog messages (RFC 5424), each a JSON object that any collector can take apart."""

from datetime import UTC, datetime
from typing import Final

import msgspec

from clavero.domain.audit import AuditRow

_PRIORITY: Final = 13 * 8 + 5  # facility log audit, severity notice
_NANOSECONDS: Final = 1_000_000_000


def message(row: AuditRow, host: str) -> bytes:
    """One message without its framing: `<109>1 TIME HOST clavero - audit - {…}`, with the row's hash and all of it."""
    seconds, rest = divmod(row.at_ns, _NANOSECONDS)
    at = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S") + f".{rest // 1000:06}Z"
    return f"<{_PRIORITY}>1 {at} {_name(host)} clavero - audit - ".encode() + msgspec.json.encode(row)


def counted(text: bytes) -> bytes:
    """A message on a stream: its length before it (RFC 6587), so that nothing in it can end it."""
    return str(len(text)).encode() + b" " + text


def _name(host: str) -> str:
    """A host name of at most 255 printable ASCII characters; `-` where there is none."""
    return "".join(letter for letter in host if "!" <= letter <= "~")[:255] or "-"
