"""OpenAI's responses for callers whose provider does not speak them: requests read, answers written.

Nothing is stored, so a response cannot be continued by its id; that is refused by name. The reasoning of earlier turns
is sealed for its own provider and left out.
"""

from collections.abc import Iterable
from typing import Any

from clavero.domain.usage import Tokens
from clavero.wire import canonical
from clavero.wire.answer import member
from clavero.wire.body import Tree, encode

_KNOWN = frozenset(
    {"model", "input", "instructions", "stream", "tools", "tool_choice", "parallel_tool_calls", "max_output_tokens",
     "temperature", "top_p", "text", "reasoning", "user", "safety_identifier", "metadata", "store", "stream_options",
     "prompt_cache_key", "prompt_cache_options", "prompt_cache_retention"}
)  # fmt: skip
_NEUTRAL: dict[str, tuple[Any, ...]] = {
    "truncation": ("disabled",),
    "include": ([], ["reasoning.encrypted_content"]),
    "background": (False,),
    "service_tier": ("auto", "default"),
    "top_logprobs": (0,),
}
_ROLES: dict[str, canonical.Role] = {
    "system": "system",
    "developer": "system",
    "user": "user",
    "assistant": "assistant",
}


def read_request(tree: Tree) -> canonical.Conversation:
    """A request of a caller; `InvalidParameter` for what no other format can say."""
    canonical.only(tree, _KNOWN, _NEUTRAL)
    form = canonical.need(tree.get("text") or {}, dict, "text", "an object")
    canonical.only(form, ("format",), {"verbosity": ("medium",)}, "text.")
    instructions = tree.get("instructions")
    turns = (
        [canonical.Turn("system", (canonical.Text(canonical.text(instructions, "instructions")),))]
        if instructions
        else []
    )
    return canonical.Conversation(
        model=tree["model"],
        turns=turns + list(_turns(tree.get("input"))),
        tools=[_tool(path, tool) for path, tool in canonical.items(tree.get("tools") or [], "tools")],
        choice=_choice(tree.get("tool_choice")),
        parallel=tree.get("parallel_tool_calls"),
        cap=tree.get("max_output_tokens"),
        temperature=tree.get("temperature"),
        top_p=tree.get("top_p"),
        schema=_schema(form.get("format")),
        effort=member(tree.get("reasoning"), "effort"),
        user=tree.get("safety_identifier") or tree.get("user"),
        stream=bool(tree.get("stream")),
    )


def _turns(given: Any) -> Iterable[canonical.Turn]:
    """One turn per message; the calls of one side in a row are one turn, as other formats want them."""
    if isinstance(given, str):
        yield canonical.Turn("user", (canonical.Text(given),))
        return
    together: list[canonical.Part] = []
    for path, item in canonical.items(given, "input"):
        kind = item.get("type", "message")
        if kind == "function_call":
            together.append(_call(path, item))
            continue
        if together and kind != "reasoning":
            yield canonical.Turn("assistant", tuple(together))
            together = []
        match kind:
            case "message":
                yield _message(path, item)
            case "function_call_output":
                yield canonical.Turn("user", (_output(path, item),))
            case "reasoning":
                continue
            case _:
                raise canonical.refuse(
                    f"{path}.type", "message, function_call or function_call_output for this provider"
                )
    if together:
        yield canonical.Turn("assistant", tuple(together))


def _message(path: str, item: Tree) -> canonical.Turn:
    role = item.get("role")
    if not isinstance(role, str) or role not in _ROLES:
        raise canonical.refuse(f"{path}.role", "system, developer, user or assistant")
    return canonical.Turn(_ROLES[role], tuple(_parts(f"{path}.content", item.get("content"))))


def _call(path: str, item: Tree) -> canonical.ToolCall:
    arguments = canonical.text(item.get("arguments"), f"{path}.arguments")
    return canonical.ToolCall(
        canonical.text(item.get("call_id"), f"{path}.call_id"),
        canonical.text(item.get("name"), f"{path}.name"),
        arguments,
    )


def _output(path: str, item: Tree) -> canonical.ToolResult:
    parts = tuple(_parts(f"{path}.output", item.get("output")))
    return canonical.ToolResult(canonical.text(item.get("call_id"), f"{path}.call_id"), parts)


def _parts(path: str, content: Any) -> Iterable[canonical.Text | canonical.Media]:
    if isinstance(content, str):
        yield canonical.Text(content)
        return
    for at, part in canonical.items(content, path):
        match part.get("type"):
            case "input_text" | "output_text" | "text":
                yield canonical.Text(canonical.text(part.get("text"), f"{at}.text"))
            case "refusal":
                yield canonical.Text(canonical.text(part.get("refusal"), f"{at}.refusal"))
            case "input_image":
                yield canonical.media(
                    "image", canonical.text(part.get("image_url"), f"{at}.image_url"), f"{at}.image_url"
                )
            case "input_file":
                data = canonical.text(part.get("file_data"), f"{at}.file_data")
                yield canonical.media("file", data, f"{at}.file_data", str(part.get("filename") or ""))
            case _:
                raise canonical.refuse(
                    f"{at}.type", "input_text, output_text, input_image or input_file for this provider"
                )


def _tool(path: str, tool: Tree) -> canonical.Tool:
    if tool.get("type") != "function":
        raise canonical.refuse(f"{path}.type", "function: the others run at their own provider")
    return canonical.Tool(
        canonical.text(tool.get("name"), f"{path}.name"),
        tool.get("description"),
        tool.get("parameters"),
        tool.get("strict"),
    )


def _choice(choice: Any) -> str | None:
    if choice is None or choice in ("auto", "none", "required"):
        return choice if choice is None else str(choice)
    name = member(choice, "name")
    if member(choice, "type") != "function" or not isinstance(name, str):
        raise canonical.refuse("tool_choice", "auto, none, required or the name of a function")
    return f"={name}"


def _schema(form: Any) -> canonical.Schema | None:
    kind = member(form, "type")
    if form is None or kind == "text":
        return None
    schema = member(form, "schema")
    if kind != "json_schema" or not isinstance(schema, dict):
        raise canonical.refuse("text.format", "text or a json_schema with its schema for this provider")
    return canonical.Schema(schema, str(form.get("name") or "answer"), form.get("strict"))


# --- answers


def write_reply(reply: canonical.Reply, asked: Tree, created: int) -> bytes:
    """A plain answer to a caller; `created` is UTC seconds."""
    said = "".join(part.text for part in reply.parts if isinstance(part, canonical.Text))
    calls = [part for part in reply.parts if isinstance(part, canonical.ToolCall)]
    output = [message_item(reply.id, said)] if said or not calls else []
    output += [call_item(part.id, part.name, part.arguments) for part in calls]
    whole = response(asked, reply.id, reply.model, created)
    return encode(whole | ending(reply.finish, output, reply.tokens))


def response(asked: Tree, identity: str, model: str, created: int) -> Tree:
    """A response that has just begun; it repeats what was asked, as the format does."""
    tree: Tree = {
        "id": response_id(identity),
        "object": "response",
        "created_at": created,
        "status": "in_progress",
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": [],
        "previous_response_id": None,
        "store": False,
        "truncation": "disabled",
        "usage": None,
    }
    usual: Tree = {
        "parallel_tool_calls": True,
        "tool_choice": "auto",
        "tools": [],
        "text": {"format": {"type": "text"}},
    }
    usual |= {"metadata": {}, "instructions": None, "max_output_tokens": None, "temperature": None, "top_p": None}
    said = {name: value for name, value in asked.items() if name in usual and value is not None}
    return tree | usual | said


def ending(finish: canonical.Finish, output: list[Tree], tokens: Tokens) -> Tree:
    """The members that an ended response has otherwise than a begun one."""
    reason = {"length": "max_output_tokens", "filter": "content_filter"}.get(finish)
    status = "incomplete" if reason else "completed"
    return {
        "status": status,
        "incomplete_details": {"reason": reason} if reason else None,
        "output": output,
        "usage": write_usage(tokens),
    }


def response_id(identity: str) -> str:
    """The provider's id of an answer, in the form of this format."""
    return identity if identity.startswith("resp_") else f"resp_{identity}"


def message_item(identity: str, text: str | None, status: str = "completed") -> Tree:
    """An output item that is a message; one that has just begun has no part yet, so its `text` is None."""
    content = [] if text is None else [{"type": "output_text", "text": text, "annotations": [], "logprobs": []}]
    return {"id": f"msg_{identity}", "type": "message", "status": status, "role": "assistant", "content": content}


def call_item(identity: str, name: str, arguments: str, status: str = "completed") -> Tree:
    """An output item that is a tool call."""
    item = {"id": f"fc_{identity}", "type": "function_call", "status": status, "call_id": identity}
    return item | {"name": name, "arguments": arguments}


def write_usage(tokens: Tokens) -> Tree:
    """A `usage` object: totals that include their parts."""
    inputs, outputs = tokens.all_input, tokens.all_output
    return {
        "input_tokens": inputs,
        "input_tokens_details": {"cached_tokens": tokens.cached, "cache_write_tokens": tokens.cache_write},
        "output_tokens": outputs,
        "output_tokens_details": {"reasoning_tokens": tokens.reasoning},
        "total_tokens": inputs + outputs,
    }
