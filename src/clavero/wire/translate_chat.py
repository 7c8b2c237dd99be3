"""OpenAI's chat completions, to and from the canonical form."""

from collections.abc import Iterable
from typing import Any

from clavero.domain.usage import NO_TOKENS, Tokens
from clavero.wire import canonical
from clavero.wire.answer import listed, member, words
from clavero.wire.body import Tree, decode, encode
from clavero.wire.openai_chat import usage

_KNOWN = frozenset(
    {"model", "messages", "stream", "stream_options", "tools", "tool_choice", "parallel_tool_calls", "max_tokens",
     "max_completion_tokens", "temperature", "top_p", "stop", "response_format", "reasoning_effort", "user",
     "safety_identifier", "metadata", "store", "seed", "prompt_cache_key", "prompt_cache_options",
     "prompt_cache_retention"}
)  # fmt: skip
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "logit_bias": ({},),
    "logprobs": (False,),
    "top_logprobs": (0,),
    "modalities": (["text"],),
    "service_tier": ("auto", "default"),
    "verbosity": ("medium",),
}
_ROLES: dict[str, canonical.Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}
_MESSAGE = frozenset({"role", "content", "tool_calls", "tool_call_id", "refusal", "reasoning_content", "annotations"})
FINISHES: dict[str, canonical.Finish] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tools",
    "function_call": "tools",
    "content_filter": "filter",
}
SAID = {"stop": "stop", "length": "length", "tools": "tool_calls", "filter": "content_filter"}


# --- requests


def read_request(tree: Tree) -> canonical.Conversation:
    """A request of a caller; `InvalidParameter` for what no other format can say."""
    canonical.only(tree, _KNOWN, _NEUTRAL)
    stop = tree.get("stop")
    return canonical.Conversation(
        model=tree["model"],
        turns=[_turn(path, message) for path, message in canonical.items(tree["messages"], "messages")],
        tools=[_tool(path, tool) for path, tool in canonical.items(tree.get("tools") or [], "tools")],
        choice=_choice(tree.get("tool_choice")),
        parallel=tree.get("parallel_tool_calls"),
        cap=tree.get("max_completion_tokens") or tree.get("max_tokens"),
        temperature=tree.get("temperature"),
        top_p=tree.get("top_p"),
        stop=[stop] if isinstance(stop, str) else canonical.need(stop or [], list, "stop", "a text or a list of texts"),
        schema=_schema(tree.get("response_format")),
        effort=tree.get("reasoning_effort"),
        user=tree.get("safety_identifier") or tree.get("user"),
        stream=bool(tree.get("stream")),
    )


def _turn(path: str, message: Tree) -> canonical.Turn:
    canonical.only(message, _MESSAGE, {}, f"{path}.")
    role = canonical.text(message.get("role"), f"{path}.role")
    content = message.get("content")
    if role == "tool":
        identity = canonical.text(message.get("tool_call_id"), f"{path}.tool_call_id")
        return canonical.Turn("user", (canonical.ToolResult(identity, tuple(_parts(f"{path}.content", content))),))
    if role not in _ROLES:
        raise canonical.refuse(f"{path}.role", "system, developer, user, assistant or tool")
    parts: list[canonical.Part] = [*_parts(f"{path}.content", content)]
    if message.get("refusal"):
        parts.append(canonical.Text(canonical.text(message["refusal"], f"{path}.refusal")))
    for at, call in canonical.items(message.get("tool_calls") or [], f"{path}.tool_calls"):
        parts.append(_call(at, call))
    return canonical.Turn(_ROLES[role], tuple(parts))


def _call(path: str, call: Tree) -> canonical.ToolCall:
    function = canonical.need(
        call.get("function"), dict, f"{path}.function", "an object; custom tools cannot be said there"
    )
    return canonical.ToolCall(
        canonical.text(call.get("id"), f"{path}.id"),
        canonical.text(function.get("name"), f"{path}.function.name"),
        canonical.text(function.get("arguments", ""), f"{path}.function.arguments"),
    )


def _parts(path: str, content: Any) -> Iterable[canonical.Text | canonical.Media]:
    if content is None:
        return
    if isinstance(content, str):
        yield canonical.Text(content)
        return
    for at, part in canonical.items(content, path):
        match part.get("type"):
            case "text":
                yield canonical.Text(canonical.text(part.get("text"), f"{at}.text"))
            case "refusal":
                yield canonical.Text(canonical.text(part.get("refusal"), f"{at}.refusal"))
            case "image_url":
                image = part.get("image_url")
                url = image.get("url") if isinstance(image, dict) else image
                yield canonical.media("image", canonical.text(url, f"{at}.image_url.url"), f"{at}.image_url.url")
            case "file":
                file = canonical.need(part.get("file"), dict, f"{at}.file", "an object")
                data = canonical.text(file.get("file_data"), f"{at}.file.file_data")
                yield canonical.media("file", data, f"{at}.file.file_data", str(file.get("filename") or ""))
            case _:
                raise canonical.refuse(f"{at}.type", "text, image_url or file, where the provider has another format")


def _tool(path: str, tool: Tree) -> canonical.Tool:
    if tool.get("type") != "function":
        raise canonical.refuse(f"{path}.type", "function, where the provider has another format")
    function = canonical.need(tool.get("function"), dict, f"{path}.function", "an object")
    name = canonical.text(function.get("name"), f"{path}.function.name")
    return canonical.Tool(name, function.get("description"), function.get("parameters"), function.get("strict"))


def _choice(choice: Any) -> str | None:
    if choice is None or choice in ("auto", "none", "required"):
        return choice if choice is None else str(choice)
    name = member(member(choice, "function"), "name")
    if not isinstance(name, str):
        raise canonical.refuse("tool_choice", "auto, none, required or the name of a function")
    return f"={name}"


def _schema(form: Any) -> canonical.Schema | None:
    kind = member(form, "type")
    if form is None or kind == "text":
        return None
    wanted = member(form, "json_schema")
    schema = member(wanted, "schema")
    if kind != "json_schema" or not isinstance(schema, dict):
        raise canonical.refuse(
            "response_format", "text or a json_schema with its schema, where the provider has another format"
        )
    return canonical.Schema(schema, str(wanted.get("name") or "answer"), wanted.get("strict"))


def write_request(talk: canonical.Conversation) -> Tree:
    """A request to a provider, without its output cap's final word."""
    tree: Tree = {"model": talk.model, "messages": [message for turn in talk.turns for message in _messages(turn)]}
    optional: Tree = {
        "max_completion_tokens": talk.cap,
        "temperature": talk.temperature,
        "top_p": talk.top_p,
        "stop": talk.stop or None,
        "reasoning_effort": talk.effort,
        "user": talk.user,
        "tools": [_function(tool) for tool in talk.tools] or None,
        "tool_choice": _named(talk.choice) if talk.tools else None,
        "parallel_tool_calls": talk.parallel if talk.tools else None,
        "response_format": _form(talk.schema),
        "stream": talk.stream or None,
        "stream_options": {"include_usage": True} if talk.stream else None,
    }
    return tree | {name: value for name, value in optional.items() if value is not None}


def _messages(turn: canonical.Turn) -> Iterable[Tree]:
    """One message, and before it one for each tool's result that the turn holds."""
    for part in turn.parts:
        if isinstance(part, canonical.ToolResult):
            yield {"role": "tool", "tool_call_id": part.id, "content": _result(part)}
    said = [part for part in turn.parts if isinstance(part, canonical.Text | canonical.Media)]
    calls = [part for part in turn.parts if isinstance(part, canonical.ToolCall)]
    if not said and not calls and turn.parts:
        return
    message: Tree = {"role": turn.role, "content": _content(said) if said or not calls else None}
    if calls:
        message["tool_calls"] = [_called(call) for call in calls]
    yield message


def _called(call: canonical.ToolCall) -> Tree:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _result(result: canonical.ToolResult) -> str:
    texts = []
    for part in result.parts:
        if not isinstance(part, canonical.Text):
            raise canonical.refuse("tool_result.content", "text: chat completions take nothing else from a tool")
        texts.append(part.text)
    return ("The tool failed: " if result.failed else "") + "\n".join(texts)  # there is no member that says so


def _content(parts: list[canonical.Text | canonical.Media]) -> str | list[Tree]:
    if all(isinstance(part, canonical.Text) for part in parts) and len(parts) < 2:
        return "".join(part.text for part in parts if isinstance(part, canonical.Text))
    return [_part(part) for part in parts]


def _part(part: canonical.Text | canonical.Media) -> Tree:
    if isinstance(part, canonical.Text):
        return {"type": "text", "text": part.text}
    if part.kind == "image":
        return {"type": "image_url", "image_url": {"url": canonical.data_url(part)}}
    if part.url:
        raise canonical.refuse("source.url", "the document itself: chat completions take no address of one")
    return {"type": "file", "file": {"filename": part.name or "document", "file_data": canonical.data_url(part)}}


def _function(tool: canonical.Tool) -> Tree:
    function = {"name": tool.name, "description": tool.description, "parameters": tool.schema, "strict": tool.strict}
    return {"type": "function", "function": {name: value for name, value in function.items() if value is not None}}


def _named(choice: str | None) -> Any:
    return {"type": "function", "function": {"name": choice[1:]}} if choice and choice[0] == "=" else choice


def _form(schema: canonical.Schema | None) -> Tree | None:
    if schema is None:
        return None
    strict = {} if schema.strict is None else {"strict": schema.strict}
    return {"type": "json_schema", "json_schema": {"name": schema.name, "schema": schema.schema, **strict}}


# --- answers


def read_reply(body: bytes) -> canonical.Reply:
    """A provider's plain answer."""
    tree = decode(body)
    choice = next(iter(listed(tree, "choices")), None)
    message = member(choice, "message")
    said = [words(message, name) for name in ("content", "refusal")]
    parts: list[canonical.Text | canonical.ToolCall] = [canonical.Text(text) for text in said if text]
    for call in listed(message, "tool_calls"):
        function = member(call, "function")
        parts.append(
            canonical.ToolCall(words(call, "id"), words(function, "name"), words(function, "arguments") or "{}")
        )
    finish = "filter" if said[1] else FINISHES.get(words(choice, "finish_reason"), "stop")
    tokens = usage(tree.get("usage")) or NO_TOKENS
    return canonical.Reply(words(tree, "id"), words(tree, "model"), parts, finish, tokens)


def write_reply(reply: canonical.Reply, created: int) -> bytes:
    """A plain answer to a caller; `created` is UTC seconds."""
    texts = [part.text for part in reply.parts if isinstance(part, canonical.Text)]
    calls = [_called(part) for part in reply.parts if isinstance(part, canonical.ToolCall)]
    message: Tree = {"role": "assistant", "content": "".join(texts) if texts or not calls else None, "refusal": None}
    if calls:
        message["tool_calls"] = calls
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": SAID[reply.finish]}
    return encode(
        {
            "id": chat_id(reply.id),
            "object": "chat.completion",
            "created": created,
            "model": reply.model,
            "choices": [choice],
            "usage": write_usage(reply.tokens),
        }
    )


def chat_id(identity: str) -> str:
    """The provider's id of an answer, in the form of this format."""
    return identity if identity.startswith("chatcmpl-") else f"chatcmpl-{identity}"


def write_usage(tokens: Tokens) -> Tree:
    """A `usage` object: totals that include their parts."""
    inputs, outputs = tokens.all_input, tokens.all_output
    return {
        "prompt_tokens": inputs,
        "completion_tokens": outputs,
        "total_tokens": inputs + outputs,
        "prompt_tokens_details": {"cached_tokens": tokens.cached, "cache_write_tokens": tokens.cache_write},
        "completion_tokens_details": {"reasoning_tokens": tokens.reasoning},
    }
