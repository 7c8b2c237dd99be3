"""Anthropic's messages, to and from the canonical form.

Instructions before the first turn become `system`; later ones stay where they stand, as a message with that role: a
model that does not take those says so itself.
"""

from collections.abc import Iterable
from typing import Any

from clavero.domain.errors import InvalidParameter
from clavero.domain.usage import NO_TOKENS, Tokens
from clavero.wire import canonical
from clavero.wire.answer import listed, member, words
from clavero.wire.anthropic import usage
from clavero.wire.body import Tree, decode, encode

_KNOWN = frozenset(
    {"model", "messages", "max_tokens", "stream", "system", "tools", "tool_choice", "temperature", "top_p",
     "stop_sequences", "output_config", "metadata", "cache_control", "diagnostics"}
)  # fmt: skip
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "service_tier": ("auto", "standard_only"),
    "speed": ("standard",),
    "thinking": ({"type": "disabled"}, {"type": "adaptive"}),  # the model may think; another one thinks as it does
    "context_management": ({}, {"edits": []}),
    "inference_geo": ("global",),
}
_EFFORTS = ("low", "medium", "high", "xhigh", "max")
_THOUGHTS = ("thinking", "redacted_thinking")
FINISHES: dict[str, canonical.Finish] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "tool_use": "tools",
    "refusal": "filter",
}
SAID = {"stop": "end_turn", "length": "max_tokens", "tools": "tool_use", "filter": "refusal"}
_CHOICES = {"auto": "auto", "any": "required", "none": "none"}


# --- requests


def read_request(tree: Tree) -> canonical.Conversation:
    """A request of a caller; `InvalidParameter` for what no other format can say."""
    canonical.only(tree, _KNOWN, _NEUTRAL)
    config = tree.get("output_config") or {}
    canonical.only(
        canonical.need(config, dict, "output_config", "an object"), ("effort", "format"), {}, "output_config."
    )
    turns = [canonical.Turn("system", tuple(_parts("system", tree["system"])))] if tree.get("system") else []
    for path, message in canonical.items(tree["messages"], "messages"):
        role = message.get("role")
        if role not in ("user", "assistant", "system"):
            raise canonical.refuse(f"{path}.role", "user, assistant or system")
        turns.append(canonical.Turn(role, tuple(_parts(f"{path}.content", message.get("content")))))
    choice = tree.get("tool_choice")
    return canonical.Conversation(
        model=tree["model"],
        turns=turns,
        tools=[_tool(path, tool) for path, tool in canonical.items(tree.get("tools") or [], "tools")],
        choice=_choice(choice),
        parallel=False if member(choice, "disable_parallel_tool_use") else None,
        cap=tree.get("max_tokens"),
        temperature=tree.get("temperature"),
        top_p=tree.get("top_p"),
        stop=canonical.need(tree.get("stop_sequences") or [], list, "stop_sequences", "a list of texts"),
        schema=_schema(config.get("format")),
        effort=config.get("effort"),
        user=member(tree.get("metadata"), "user_id"),
        stream=bool(tree.get("stream")),
    )


def _parts(path: str, content: Any) -> Iterable[canonical.Part]:
    if isinstance(content, str):
        yield canonical.Text(content)
        return
    for at, block in canonical.items(content, path):
        match block.get("type"):
            case "text":
                yield canonical.Text(canonical.text(block.get("text"), f"{at}.text"))
            case "image" | "document" as kind:
                yield from _media(at, kind, block)
            case "tool_use":
                yield _call(at, block)
            case "tool_result":
                yield _result(at, block)
            case kind if kind in _THOUGHTS:
                continue  # signed for its own provider, and no part of what was said
            case _:
                raise canonical.refuse(f"{at}.type", "text, image, document, tool_use or tool_result for this provider")


def _media(path: str, kind: str, block: Tree) -> Iterable[canonical.Text | canonical.Media]:
    source = canonical.need(block.get("source"), dict, f"{path}.source", "an object")
    sort = "image" if kind == "image" else "file"
    match source.get("type"):
        case "base64":
            data = canonical.text(source.get("data"), f"{path}.source.data")
            media_type = canonical.text(source.get("media_type"), f"{path}.source.media_type")
            yield canonical.Media(
                "image" if sort == "image" else "file", "", media_type, data, str(block.get("title") or "")
            )
        case "url" if sort == "image":
            yield canonical.Media("image", canonical.text(source.get("url"), f"{path}.source.url"))
        case "text":
            yield canonical.Text(canonical.text(source.get("data"), f"{path}.source.data"))
        case _:
            raise canonical.refuse(f"{path}.source.type", "base64, or url for an image, for this provider")


def _call(path: str, block: Tree) -> canonical.ToolCall:
    given = canonical.need(block.get("input"), dict, f"{path}.input", "an object")
    name = canonical.text(block.get("name"), f"{path}.name")
    return canonical.ToolCall(canonical.text(block.get("id"), f"{path}.id"), name, encode(given).decode())


def _result(path: str, block: Tree) -> canonical.ToolResult:
    content = block.get("content")
    parts = [] if content is None else list(_parts(f"{path}.content", content))
    simple = tuple(part for part in parts if isinstance(part, canonical.Text | canonical.Media))
    if len(simple) < len(parts):
        raise canonical.refuse(f"{path}.content", "text or images")
    if any(isinstance(part, canonical.Media) for part in simple):
        raise canonical.refuse(f"{path}.content", "text: this provider takes nothing else from a tool")
    return canonical.ToolResult(
        canonical.text(block.get("tool_use_id"), f"{path}.tool_use_id"), simple, bool(block.get("is_error"))
    )


def _tool(path: str, tool: Tree) -> canonical.Tool:
    if tool.get("type") not in (None, "custom"):
        raise canonical.refuse(f"{path}.type", "custom: the others run at their own provider")
    return canonical.Tool(
        canonical.text(tool.get("name"), f"{path}.name"),
        tool.get("description"),
        tool.get("input_schema"),
        tool.get("strict"),
    )


def _choice(choice: Any) -> str | None:
    if choice is None:
        return None
    kind, name = member(choice, "type"), member(choice, "name")
    if kind == "tool" and isinstance(name, str):
        return f"={name}"
    if not isinstance(kind, str) or kind not in _CHOICES:
        raise canonical.refuse("tool_choice", "auto, any, none or a tool with its name")
    return _CHOICES[kind]


def _schema(form: Any) -> canonical.Schema | None:
    if form is None:
        return None
    schema = member(form, "schema")
    if member(form, "type") != "json_schema" or not isinstance(schema, dict):
        raise canonical.refuse("output_config.format", "a json_schema with its schema")
    return canonical.Schema(schema, strict=True)


def write_request(talk: canonical.Conversation) -> Tree:
    """A request to a provider, without its output cap's final word."""
    leading = 0
    while leading < len(talk.turns) and talk.turns[leading].role == "system":
        leading += 1
    system = [block for turn in talk.turns[:leading] for block in _blocks(turn)]
    tree: Tree = {"model": talk.model, "messages": _messages(talk.turns[leading:])}
    optional: Tree = {
        "max_tokens": talk.cap,
        "system": system or None,
        "temperature": _temperature(talk.temperature),
        "top_p": talk.top_p,
        "stop_sequences": talk.stop or None,
        "metadata": {"user_id": talk.user} if talk.user else None,
        "tools": [_declared(tool) for tool in talk.tools] or None,
        "tool_choice": _chosen(talk),
        "output_config": _config(talk) or None,
        "stream": talk.stream or None,
    }
    return tree | {name: value for name, value in optional.items() if value is not None}


def _messages(turns: list[canonical.Turn]) -> list[Tree]:
    """Turns of one side in a row become one message: results of tools have to stand together."""
    messages: list[Tree] = []
    for turn in turns:
        blocks = _blocks(turn)
        if not blocks:
            continue
        if messages and messages[-1]["role"] == turn.role:
            messages[-1]["content"] += blocks
        else:
            messages.append({"role": turn.role, "content": blocks})
    if not messages:
        raise canonical.refuse("messages", "more than instructions: the provider wants something said")
    return messages


def _blocks(turn: canonical.Turn) -> list[Tree]:
    return [_block(part) for part in turn.parts if not (isinstance(part, canonical.Text) and not part.text)]


def _block(part: canonical.Part) -> Tree:
    match part:
        case canonical.Text(text):
            return {"type": "text", "text": text}
        case canonical.ToolCall(identity, name, given):
            arguments = canonical.arguments(given, "tool_calls.function.arguments")
            return {"type": "tool_use", "id": identity, "name": name, "input": arguments}
        case canonical.ToolResult(identity, parts, failed):
            content = [_block(inner) for inner in parts]
            result: Tree = {"type": "tool_result", "tool_use_id": identity, "content": content}
            return result | ({"is_error": True} if failed else {})
        case canonical.Media(kind, url, media_type, data, name):
            source = {"type": "base64", "media_type": media_type, "data": data}
            if url:
                source = {"type": "url", "url": url}
            block: Tree = {"type": "image" if kind == "image" else "document", "source": source}
            return block | ({"title": name} if name else {})


def _temperature(value: Any) -> Any:
    if isinstance(value, int | float) and value > 1:
        raise canonical.refuse("temperature", "at most 1 for this provider")
    return value


def _declared(tool: canonical.Tool) -> Tree:
    declared: Tree = {"name": tool.name, "input_schema": tool.schema or {"type": "object", "properties": {}}}
    optional = {"description": tool.description, "strict": tool.strict}
    return declared | {name: value for name, value in optional.items() if value is not None}


def _chosen(talk: canonical.Conversation) -> Tree | None:
    if not talk.tools or (talk.choice is None and talk.parallel is not False):
        return None
    choice = talk.choice or "auto"
    if choice[0] == "=":
        chosen: Tree = {"type": "tool", "name": choice[1:]}
    else:
        chosen = {"type": "any" if choice == "required" else choice}
    return chosen | ({"disable_parallel_tool_use": True} if talk.parallel is False and choice != "none" else {})


def _config(talk: canonical.Conversation) -> Tree:
    config: Tree = {}
    if talk.effort is not None:
        if talk.effort not in _EFFORTS:
            raise canonical.refuse("reasoning_effort", f"one of {', '.join(_EFFORTS)} for this provider")
        config["effort"] = talk.effort
    if talk.schema is not None:
        config["format"] = {"type": "json_schema", "schema": talk.schema.schema}
    return config


# --- answers


def read_reply(body: bytes) -> canonical.Reply:
    """A provider's plain answer; its thinking is no part of what is said elsewhere."""
    tree = decode(body)
    parts: list[canonical.Text | canonical.ToolCall] = []
    for block in listed(tree, "content"):
        match words(block, "type"):
            case "text":
                parts.append(canonical.Text(words(block, "text")))
            case "tool_use":
                given = encode(member(block, "input") or {}).decode()
                parts.append(canonical.ToolCall(words(block, "id"), words(block, "name"), given))
            case _:
                continue
    return canonical.Reply(
        words(tree, "id"),
        words(tree, "model"),
        parts,
        FINISHES.get(words(tree, "stop_reason"), "stop"),
        usage(tree.get("usage")) or NO_TOKENS,
        words(tree, "stop_sequence") or None,
    )


def write_reply(reply: canonical.Reply) -> bytes:
    """A plain answer to a caller. A call that the cap cut off is left out: with half its input nobody should run it."""
    parts = reply.parts
    if reply.finish == "length" and parts and isinstance(parts[-1], canonical.ToolCall) and not _whole(parts[-1]):
        parts = parts[:-1]
    return encode(
        {
            "id": message_id(reply.id),
            "type": "message",
            "role": "assistant",
            "model": reply.model,
            "content": [_block(part) for part in parts],
            "stop_reason": "stop_sequence" if reply.stop else SAID[reply.finish],
            "stop_sequence": reply.stop,
            "usage": write_usage(reply.tokens),
        }
    )


def _whole(call: canonical.ToolCall) -> bool:
    try:
        canonical.arguments(call.arguments, "")
    except InvalidParameter:
        return False
    return True


def message_id(identity: str) -> str:
    """The provider's id of an answer, in the form of this format."""
    return identity if identity.startswith("msg_") else f"msg_{identity}"


def write_usage(tokens: Tokens) -> Tree:
    """A `usage` object: the cache beside the input, the thinking within the output."""
    return {
        "input_tokens": tokens.input,
        "cache_read_input_tokens": tokens.cached,
        "cache_creation_input_tokens": tokens.cache_write,
        "output_tokens": tokens.all_output,
    }
