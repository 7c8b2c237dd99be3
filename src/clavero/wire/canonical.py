"""A conversation and its answer between two formats: what both sides can say, and nothing else.

Only a change of format goes through here. A format's `read_*` turns its own into these, its `write_*` turns these into
its own; what one side cannot say is refused there by the name of the caller's parameter, never dropped where it would
change the meaning. Dropped everywhere, because the answer means the same without: where a provider may cache
(`cache_control`, `prompt_cache_*`), how closely it looks at an image (`detail`), labels for its own books (`metadata`,
`store`, `service_tier` at its default), the thinking of earlier turns, `seed` (a best effort at its own provider too).
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import msgspec
from msgspec import Struct

from clavero.domain.errors import InvalidParameter
from clavero.domain.usage import NO_TOKENS, Tokens
from clavero.wire.body import Tree

Role = Literal["system", "user", "assistant"]
Finish = Literal["stop", "length", "tools", "filter"]


class Text(Struct, frozen=True, gc=False):
    """Words."""

    text: str


class Media(Struct, frozen=True, gc=False):
    """An image or a document: by `url`, or as base64 `data` of a media type."""

    kind: Literal["image", "file"]
    url: str = ""
    media_type: str = ""
    data: str = ""
    name: str = ""


class ToolCall(Struct, frozen=True, gc=False):
    """The assistant calls a tool; `arguments` is JSON text."""

    id: str
    name: str
    arguments: str


class ToolResult(Struct, frozen=True):
    """What a tool gave."""

    id: str
    parts: tuple[Text | Media, ...]
    failed: bool = False


Part = Text | Media | ToolCall | ToolResult


class Turn(Struct, frozen=True):
    """Everything that one side said before the other spoke."""

    role: Role
    parts: tuple[Part, ...]


class Tool(Struct, frozen=True):
    """A function that the caller runs."""

    name: str
    description: str | None = None
    schema: Tree | None = None
    strict: bool | None = None


class Schema(Struct, frozen=True):
    """The JSON that the answer must be."""

    schema: Tree
    name: str = "answer"
    strict: bool | None = None


class Conversation(Struct):
    """A request. `choice` is auto, none, required or `=name`; None everywhere is: not said."""

    model: str
    turns: list[Turn]
    tools: list[Tool] = []
    choice: str | None = None
    parallel: bool | None = None
    cap: int | None = None
    temperature: Any = None
    top_p: Any = None
    stop: list[str] = []
    schema: Schema | None = None
    effort: str | None = None
    user: str | None = None
    stream: bool = False


class Reply(Struct):
    """A whole answer."""

    id: str
    model: str
    parts: list[Text | ToolCall]
    finish: Finish
    tokens: Tokens = NO_TOKENS
    stop: str | None = None  # the stop sequence that ended it


# --- a streamed answer, piece by piece


class Begin(Struct, frozen=True, gc=False):
    """The answer begins."""

    id: str
    model: str
    tokens: Tokens = NO_TOKENS


class CallBegin(Struct, frozen=True, gc=False):
    """A tool call begins; pieces name it by its number, counted from 0."""

    number: int
    id: str
    name: str


class CallPiece(Struct, frozen=True, gc=False):
    """Some of the arguments of a tool call."""

    number: int
    arguments: str


class End(Struct, frozen=True, gc=False):
    """The answer is whole."""

    finish: Finish
    tokens: Tokens = NO_TOKENS
    stop: str | None = None


Piece = Begin | Text | CallBegin | CallPiece | End


# --- words for the readers and writers of a format

UNSAYABLE = "left out: the format of this model's provider cannot say it"


def refuse(name: str, rule: str) -> InvalidParameter:
    """The refusal of something that cannot be said on the other side."""
    return InvalidParameter(name=name, rule=rule)


def only(tree: Tree, known: Iterable[str], neutral: Mapping[str, tuple[Any, ...]], path: str = "") -> None:
    """Refuse the first member that is neither known nor at a value that changes nothing."""
    for name, value in tree.items():
        if name in known or value is None or value in neutral.get(name, ()):
            continue
        raise refuse(path + name, UNSAYABLE)


def need(value: Any, kind: type, name: str, rule: str) -> Any:
    """The value, which must be of this JSON type."""
    if type(value) is not kind:
        raise refuse(name, rule)
    return value


def items(value: Any, name: str) -> list[tuple[str, Tree]]:
    """The objects of a list, each with its path."""
    found = []
    for index, item in enumerate(need(value, list, name, "a list")):
        path = f"{name}[{index}]"
        found.append((path, need(item, dict, path, "an object")))
    return found


def text(value: Any, name: str) -> str:
    """A text that must be there."""
    found: str = need(value, str, name, "a text")
    return found


def arguments(value: str, name: str) -> Tree:
    """The object that the JSON text of a tool call's arguments holds; none at all is an empty one."""
    if not value.strip():
        return {}
    try:
        tree = msgspec.json.decode(value)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        tree = None
    found: Tree = need(tree, dict, name, "the JSON text of an object")
    return found


_DATA_URL = re.compile(r"data:([a-z0-9.+-]+/[a-z0-9.+-]+)(?:;[a-z0-9=.-]+)*;base64,", re.IGNORECASE)


def media(kind: Literal["image", "file"], url: str, name: str, called: str = "") -> Media:
    """An image or file from an address or a data URL."""
    if not url.startswith("data:"):
        return Media(kind, url, name=called)
    match = _DATA_URL.match(url)
    if match is None:
        raise refuse(name, "a data URL with a media type and base64")
    return Media(kind, "", match.group(1).lower(), url[match.end() :], called)


def data_url(found: Media) -> str:
    """The address of an image or file, or the data URL that holds it."""
    return found.url or f"data:{found.media_type};base64,{found.data}"
