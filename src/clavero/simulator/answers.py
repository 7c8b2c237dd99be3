"""What is asked and what is answered, whatever the format: the invented text, its cap, and the tokens it is billed at.

The same question always gets the same answer. An answer says that it is invented; with `12 words` or `200 tokens` in
the question it is that long, so that a person can ask for a long stream.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from clavero.simulator import schema as schemas
from clavero.simulator.models import Card
from clavero.simulator.refusals import Dialect, refuse, too_long
from clavero.simulator.tokens import pieces

REASONING_TOKENS = 8  # what a reasoning model is said to think, within its cap
_EXCERPT = 60
_LONGEST = 16_384
_READ = 8_192  # characters of a question that are looked at for its answer
_WANTED_LENGTH = re.compile(r"\b(\d{1,5}) (?:words|tokens|palabras)\b", re.IGNORECASE)
_FILLER = " Every word here is made up, and the same question gets the same words again."
_NO_CALL = ("none",)


class Tool(Struct, frozen=True):
    """A function that may be called, with the JSON schema of its arguments."""

    name: str
    parameters: Any = None


class Ask(Struct, frozen=True, kw_only=True):
    """A question, whatever its format. `cap` is the most output tokens; `forced` a tool's name, "*" for any."""

    card: Card
    model: str
    text: str  # of the last message; "" after a tool's result
    input_tokens: int
    cached: int = 0  # part of the input, read from the provider's cache
    written: int = 0  # part of the input, written to it
    cap: int | None = None
    choices: int = 1
    stops: tuple[str, ...] = ()
    tools: tuple[Tool, ...] = ()
    forced: str = ""
    schema: Any = None  # of a structured answer; None is prose
    reasons: bool = False
    length: int = 0  # tokens of a text answer; 0 is its natural length


class Choice(Struct, frozen=True):
    """One answer. `finish` is stop, length, tool or sequence; `pieces` joined are the text or the tool's arguments."""

    pieces: tuple[str, ...]
    finish: str
    tool: str = ""
    sequence: str | None = None

    @property
    def text(self) -> str:
        """The text, or the arguments of the tool as JSON."""
        return "".join(self.pieces)


class Answer(Struct, frozen=True, kw_only=True):
    """Answers and their bill; `reported` is False where the usage is to be kept from the caller."""

    model: str
    choices: tuple[Choice, ...]
    input_tokens: int
    cached: int = 0
    written: int = 0
    reasoning: int = 0
    output_tokens: int  # reasoning included
    reported: bool = True


Twist = Callable[[Answer], Answer]  # what a fault makes of an answer before it is written


def answer(ask: Ask, dialect: Dialect) -> Answer:
    """Invent the answers; raises `Refusal` where the input is too long or a schema cannot be satisfied."""
    if ask.input_tokens > ask.card.context:
        raise too_long(dialect, ask.input_tokens, ask.card.context)
    cap = ask.card.output if ask.cap is None else ask.cap
    reasoning = min(REASONING_TOKENS, cap) if ask.reasons else 0
    choices = tuple(_choice(ask, number, cap - reasoning, dialect) for number in range(ask.choices))
    spoken = sum(len(choice.pieces) for choice in choices)
    return Answer(
        model=ask.model, choices=choices, input_tokens=ask.input_tokens, cached=ask.cached, written=ask.written,
        reasoning=reasoning * ask.choices, output_tokens=spoken + reasoning * ask.choices,
    )  # fmt: skip


def _choice(ask: Ask, number: int, cap: int, dialect: Dialect) -> Choice:
    tool = _called(ask)
    if tool is None and ask.schema is None and not ask.stops:
        whole = _prose(ask.text[:_READ], ask.length, number)
        return Choice(whole, "stop") if len(whole) <= cap else Choice(whole[:cap], "length")
    text = _document(ask, tool, number, dialect)
    text, sequence = _stopped(text, ask.stops)
    whole = tuple(pieces(text))
    if len(whole) > cap:
        return Choice(whole[:cap], "length", tool.name if tool else "")
    finish = "tool" if tool else "sequence" if sequence is not None else "stop"
    return Choice(whole, finish, tool.name if tool else "", sequence)


def _document(ask: Ask, tool: Tool | None, number: int, dialect: Dialect) -> str:
    wanted = tool.parameters or {"type": "object"} if tool else ask.schema
    if wanted is None:
        return "".join(_prose(ask.text[:_READ], ask.length, number))
    try:
        return msgspec.json.encode(schemas.instance(wanted)).decode()
    except (schemas.Unsatisfied, re.error, TypeError, ValueError, AttributeError) as error:
        raise refuse(dialect, 400, f"The simulator has no instance of this schema: {error}") from None


def _called(ask: Ask) -> Tool | None:
    """The tool to call: the forced one, or the first that the text asks for by its name or the words of its name."""
    if not ask.tools or ask.forced in _NO_CALL:
        return None
    if ask.forced:
        return next((tool for tool in ask.tools if tool.name == ask.forced), ask.tools[0])
    text = ask.text.lower()
    return next((tool for tool in ask.tools if _named(tool.name.lower(), text)), None)


def _named(name: str, text: str) -> bool:
    words = [word for word in re.split(r"[^a-z0-9]+", name) if len(word) > 3]
    return bool(text) and (name in text or any(word in text for word in words))


def _stopped(text: str, stops: tuple[str, ...]) -> tuple[str, str | None]:
    found = [(place, stop) for stop in stops if stop and (place := text.find(stop)) >= 0]
    if not found:
        return text, None
    place, stop = min(found)
    return text[:place], stop


def _wanted(text: str) -> int:
    found = _WANTED_LENGTH.search(text)
    return min(int(found[1]), _LONGEST) if found else 0


@lru_cache(maxsize=512)
def _prose(question: str, length: int, number: int) -> tuple[str, ...]:
    """The pieces of an invented text, `length` of them; 0 is as many as the question wants, or as it comes."""
    length = length or _wanted(question)
    excerpt = " ".join(question[: 4 * _EXCERPT].split())[:_EXCERPT]
    text = "This answer is invented by the clavero simulator; no model was asked."
    text += f" The question was: {excerpt}" if excerpt else ""
    text += f" (choice {number + 1})" if number else ""
    if not length:
        return tuple(pieces(text))
    filler = len(pieces(_FILLER))
    return tuple(pieces(text + _FILLER * (length // filler + 1))[:length])
