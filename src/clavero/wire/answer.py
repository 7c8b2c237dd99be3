"""What an answer says of itself, whatever its format: tokens, model, how it ended.

Tokens are split into kinds that do not overlap, because each kind has a price of its own and a token is paid once.
Figures are a provider's word: what is no plausible count is as if not said, and one wrong figure spoils no other.
"""

from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec.structs import replace

from clavero.domain.calls import BadAnswer
from clavero.domain.usage import Tokens
from clavero.wire.body import Tree

UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_MOST = 1_000_000_000  # tokens of one call; nobody has sold a thousandth of it
_BYTES_PER_TOKEN = 4  # usual of English prose; for estimates alone, never for bounds


class Answer(NamedTuple):
    """A whole answer: `tokens` is None where none were reported, `finish` is the provider's own word."""

    tokens: Tokens | None
    model: str = ""
    finish: str = ""


class Stream:
    """A streamed answer so far; one subclass per format reads its events.

    `begun` is set by the first piece of output, `done` by the event that ends the format's streams; `error` is what
    the provider said in-band. `said` counts the bytes of output text seen.
    """

    __slots__ = ("begun", "chunks", "done", "error", "finish", "model", "said", "tokens")

    def __init__(self) -> None:
        self.tokens: Tokens | None = None
        self.model = ""
        self.finish = ""
        self.begun = False
        self.done = False
        self.error: Tree | None = None
        self.chunks = 0
        self.said = 0

    @property
    def complete(self) -> bool:
        """Whether the provider ended it; a connection that ends without this has cut the text."""
        return self.done and self.error is None

    @property
    def estimated_output(self) -> int:
        """Output tokens to charge for where a stream was cut before it told its usage."""
        return max(self.chunks, -(-self.said // _BYTES_PER_TOKEN))

    @property
    def observed(self) -> Tokens | None:
        """The tokens as told; where the end is missing, with at least the output that was seen. None: nothing told."""
        told = self.tokens
        if told is None or self.complete or told.all_output >= self.estimated_output:
            return told
        return replace(told, output=self.estimated_output - told.reasoning)

    def hear(self, text: object) -> None:
        """Count a piece of output; what is empty or no text is none."""
        if isinstance(text, str) and text:
            self.begun = True
            self.chunks += 1
            self.said += len(text) if text.isascii() else len(text.encode())

    def read(self, payload: bytes) -> bool:
        """Take the data of one event; False where the caller did not ask for it. `UNREADABLE` where it is no JSON."""
        raise NotImplementedError


def count(value: Any) -> int | None:
    """A number of tokens; None where this is no plausible one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return value if type(value) is int and 0 <= value <= _MOST else None


def member(value: Any, name: str) -> Any:
    """What an object has under a name; None where it is no object."""
    return value.get(name) if isinstance(value, dict) else None


def listed(value: Any, name: str) -> list[Any]:
    """The list that an object has under a name; an empty one where there is none."""
    found = member(value, name)
    return found if isinstance(found, list) else []


def words(value: Any, name: str) -> str:
    """The text that an object has under a name; "" where there is none."""
    found = member(value, name)
    return found if isinstance(found, str) else ""


def split(
    all_input: Any, all_output: Any, *, cached: Any = 0, cache_write: Any = 0, reasoning: Any = 0, total: Any = None
) -> Tokens | None:
    """Tokens from totals that include their parts, as OpenAI counts; None where a total is missing.

    Some count reasoning beside the output rather than within it, which their grand total betrays.
    """
    whole_input, whole_output = count(all_input), count(all_output)
    if whole_input is None or whole_output is None:
        return None
    if not (cached or cache_write or reasoning):  # as most answers say
        return Tokens(whole_input, 0, 0, whole_output, 0)
    thought = count(reasoning) or 0
    if thought and count(total) == whole_input + whole_output + thought:
        whole_output += thought
    read = min(count(cached) or 0, whole_input)
    written = min(count(cache_write) or 0, whole_input - read)
    thought = min(thought, whole_output)
    return Tokens(whole_input - read - written, read, written, whole_output - thought, thought)


T = TypeVar("T")


def lenient(decoder: msgspec.json.Decoder[T], body: bytes) -> T | None:
    """What a decoder for the members of interest makes of a body; None where it is JSON of another shape.

    Raises one of `UNREADABLE` where it is no JSON.
    """
    try:
        return decoder.decode(body)
    except msgspec.ValidationError:
        msgspec.json.decode(body)
        return None


def whole(decoder: msgspec.json.Decoder[T], body: bytes) -> T:
    """The same for a plain answer, which must have that shape: `BadAnswer`."""
    try:
        return decoder.decode(body)
    except UNREADABLE:
        raise BadAnswer("the answer is not the JSON of its format") from None
