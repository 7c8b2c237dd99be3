"""What must not be read by accident: a type that masks itself, and a filter for every text on its way to a sink.

`Secret` keeps a value out of logs, traces and answers by construction; `mask` is the net below it, for text that came
from elsewhere (a provider's error, a traceback, a header dump). Each pattern runs in linear time: a run of characters
is bounded, or can only begin where the run before has ended.
"""

import re
from collections.abc import Mapping, MutableMapping
from hmac import compare_digest
from typing import Any, NoReturn, Self

MASK = "***"
_SHORTEST_WITH_TAIL = 16  # four characters of a shorter secret would be too much of it
_DEEPEST = 8


class Secret:
    """A value that is seen only by `reveal()`: repr, str, format, copies, pickle and encoders show a mask."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value: str | None = value

    def reveal(self) -> str:
        """The value itself, the single way out; ValueError where it was lost in a pickle."""
        if self._value is None:
            raise ValueError("this secret was masked on its way here")
        return self._value

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return MASK

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return compare_digest(_bytes(self._value), _bytes(other._value))

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __reduce_ex__(self, protocol: object) -> tuple[Any, ...]:
        return _masked, ()

    def __getstate__(self) -> None:
        return None

    def __setstate__(self, state: object) -> NoReturn:
        raise TypeError("a secret has no state to set")


def last_four(secret: Secret) -> str:
    """The end by which people tell secrets apart; "" for one that is too short to show any of it."""
    value = secret.reveal()
    return value[-4:] if len(value) >= _SHORTEST_WITH_TAIL else ""


def encode_hook(value: object) -> str:
    """For `enc_hook` of msgspec and `default` of json: a secret becomes its mask; TypeError for anything else."""
    if isinstance(value, Secret):
        return MASK
    raise TypeError(f"{type(value).__name__} cannot be encoded")


# --- the filter of the sinks

# A key begins after anything but a letter or digit, or after an escape such as \n, \u0022 or %20.
_START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrtbf])|(?<=\\u[0-9A-Fa-f]{4})|(?<=\\x[0-9A-Fa-f]{2})|(?<=%[0-9A-Fa-f]{2}))"
_TELLING = (
    r"authorization|x-api-key|api[-_]?key|x-goog-api-key|(?:set-)?cookie|passw(?:or)?d|passphrase"
    r"|client[-_]secret|secret[-_]key|access[-_]token|refresh[-_]token"
)
_SAYS = r"(?:\\?[\"'])?+[ \t]{0,4}+[:=,][ \t]{0,4}+(?:b?\\?[\"'])?+"  # from a name to its value: header, JSON, repr
_SCHEME = r"(?:(?:bearer|basic|token|api-?key)[ ]{1,4}+)?+"
_NOT_AN_EXAMPLE = r"(?!(?:KEY|CLAVE|TOKEN|\*)(?![A-Za-z0-9]))"
_PROVIDERS = (
    r"sk-[A-Za-z0-9_-]{12,}",  # OpenAI, Anthropic (sk-ant-), OpenRouter (sk-or-), DeepSeek
    r"sess-[A-Za-z0-9]{20,}",
    r"AIza[A-Za-z0-9_-]{20,}",
    r"AQ\.[A-Za-z0-9_-]{20,}",
    r"ya29\.[A-Za-z0-9_-]{16,}",
    r"(?:pplx-|gsk_|xai-|hf_|r8_)[A-Za-z0-9]{16,}",
    r"(?:nvapi-|glpat-|hv[sb]\.)[A-Za-z0-9_-]{16,}",
    r"[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}",  # Azure
    r"A[KS]IA[0-9A-Z]{16}",
    r"(?:gh[opsur]_|github_pat_)[A-Za-z0-9_]{20,}",
    r"xox[abeprs]-[A-Za-z0-9-]{10,}",
    r"(?<![_-])eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]*)?",  # a signed token
)
_FORMS = (
    r"(?P<ours>clv[katbw]_[a-z0-9]{2,8}_[0-9A-Za-z]{12}_)[0-9A-Za-z]+",  # kind and public id stay readable
    r"(?P<cut>clv[katbw]_)\w{6,}",
    r"(?P<root>clavero-root-key-v1:)\S+",
    rf"(?P<cookie>(?i:(?:set-)?cookie){_SAYS})[^\r\n\"'\\]+",
    rf"(?P<named>(?i:(?:{_TELLING}){_SAYS}{_SCHEME})){_NOT_AN_EXAMPLE}[^\s\"',;}}&\\]+",
    r"(?P<scheme>(?i:bearer)[ \t]{1,4})[A-Za-z0-9._~+/=-]{12,}",
    r"(?P<query>[?&](?i:key|token|secret|sig)=)[^&\s\"'#]+",
    r"(?P<user>://[^/\s:@]{0,256}:)[^/\s@]{1,1024}(?=@)",
    r"(?P<pem>-----BEGIN [A-Z ]{0,32}PRIVATE KEY-----)[^-]*",
    rf"{_START}(?:{'|'.join(_PROVIDERS)})",
)
_KNOWN = re.compile("|".join(_FORMS), re.ASCII)
# Every form holds one of these in lower case: a text without any, which most are, is let through ten times faster.
_MARKS = (
    "clv", "clavero-root", "authorization", "api-key", "api_key", "apikey", "cookie", "passw", "passphrase",
    "secret", "access-token", "access_token", "refresh-token", "refresh_token", "token=", "key=", "sig=", "bearer", "@",
    "private key", "sk-", "sess-", "aiza", "aq.", "ya29.", "pplx-", "gsk_", "xai-", "hf_", "r8_", "nvapi-", "glpat-",
    "hvs.", "hvb.", "jqqj99", "akia", "asia", "ghp_", "gho_", "ghs_", "ghu_", "ghr_", "github_pat_", "xox", "eyj",
)  # fmt: skip
_TELLING_NAME = re.compile(_TELLING, re.IGNORECASE)


def mask(text: str) -> str:
    """The text with every known form of key, token and password hidden; what names it stays readable."""
    lowered = text.lower()
    return _KNOWN.sub(_hide, text) if any(mark in lowered for mark in _MARKS) else text


def masked(value: object, depth: int = 0) -> object:
    """A value ready for a sink: texts masked, secrets hidden, members with a telling name hidden whole."""
    if isinstance(value, str):
        return mask(value)
    if isinstance(value, bytes | bytearray):
        return mask(value.decode("utf-8", "backslashreplace"))
    if value is None or isinstance(value, bool | int | float):
        return value
    if depth >= _DEEPEST:
        return mask(repr(value))
    if isinstance(value, Mapping):
        return {mask(str(name)): _member(str(name), one, depth) for name, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [masked(one, depth + 1) for one in value]
    return mask(repr(value) if not isinstance(value, BaseException) else f"{type(value).__name__}: {value}")


def mask_event(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor of log events, in the shape that structlog calls too: to be the last before the renderer."""
    for name, value in event.items():
        event[name] = _member(name, value, 0)
    return event


def mask_record(record: Any) -> bool:
    """A filter for `logging` handlers: message, traceback and stack are masked before any formatter sees them."""
    record.msg, record.args = mask(record.getMessage()), None
    if record.exc_info and record.exc_info[0] is not None:
        import traceback

        record.exc_text = mask("".join(traceback.format_exception(*record.exc_info)).rstrip("\n"))
    if record.stack_info:
        record.stack_info = mask(record.stack_info)
    return True


def _member(name: str, value: object, depth: int) -> object:
    return MASK if value and _TELLING_NAME.fullmatch(name) else masked(value, depth + 1)


def _hide(found: re.Match[str]) -> str:
    return (found[found.lastgroup] if found.lastgroup else "") + MASK


def _bytes(value: str | None) -> bytes:
    return b"" if value is None else value.encode("utf-8", "surrogatepass")


def _masked() -> Secret:
    lost = Secret("")
    lost._value = None  # noqa: SLF001 - the one place that makes a lost secret
    return lost
