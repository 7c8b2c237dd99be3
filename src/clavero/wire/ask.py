"""What a request asks for, as far as the stages must rely on it: one reading per endpoint, one writing for all.

Only what is relied upon is checked (`InvalidParameter` names it); everything else is the provider's to judge and
passes through as it came. `unbounded` names what makes the cost of a call impossible to bound from its body, such as
a conversation that lives at the provider, a tool that the provider runs, or a dearer class of service: money refuses
those, the reading does not.
"""

from collections.abc import Callable, Iterable
from typing import Any

from msgspec import Struct

from clavero.domain.endpoints import Endpoint
from clavero.domain.errors import InvalidParameter
from clavero.wire.body import Tree, encode

LONGEST_MODEL = 256
MOST_CHOICES = 128
CAPS = ("max_completion_tokens", "max_tokens", "max_output_tokens")


class Ask(Struct):
    """One request as read. `cap` is the output cap that was asked for, None where none was, under `cap_parameter`.

    `images` and `files` are references that the provider fetches; those within the body are counted apart, because
    their bytes do not bound their tokens either. `n` is how many answers are wanted; `thinking` is what Anthropic's
    thinking sets aside within the cap, which therefore has to be larger.
    """

    endpoint: Endpoint
    model: str
    tree: Tree
    stream: bool = False
    cap: int | None = None
    cap_parameter: str = ""
    n: int = 1
    images: int = 0
    images_inline: int = 0
    files: int = 0
    files_inline: int = 0
    tools: int = 0
    thinking: int = 0
    usage_asked: bool = False
    unbounded: tuple[str, ...] = ()


def read_chat(tree: Tree) -> Ask:
    """A body of `/v1/chat/completions`."""
    messages = _objects(tree, "messages")
    ask = Ask(Endpoint.CHAT, _model(tree), tree, _flag(tree, "stream"), n=_count(tree, "n", MOST_CHOICES) or 1)
    _cap(ask, "max_completion_tokens", "max_tokens")
    options = tree.get("stream_options")
    if options is not None:
        if type(options) is not dict:
            raise InvalidParameter(name="stream_options", rule="an object")
        ask.usage_asked = _flag(options, "include_usage", "stream_options.include_usage")
    for message in messages:
        _parts(ask, message.get("content"))
    ask.tools = _listed(tree, "tools") + _listed(tree, "functions")
    ask.unbounded = tuple(_unbounded_chat(tree, messages))
    return ask


def read_responses(tree: Tree) -> Ask:
    """A body of `/v1/responses`; a conversation kept at the provider is named in `unbounded`."""
    items = tree.get("input")
    if items is not None and not isinstance(items, str):
        items = _objects(tree, "input")
    ask = Ask(Endpoint.RESPONSES, _model(tree), tree, _flag(tree, "stream"), usage_asked=True)
    _cap(ask, "max_output_tokens")
    for item in items if isinstance(items, list) else ():
        _parts(ask, item.get("content"))
        _parts(ask, item.get("output"))
    ask.tools = _listed(tree, "tools")
    ask.unbounded = tuple(_unbounded_responses(tree, items))
    return ask


def read_messages(tree: Tree) -> Ask:
    """A body of `/v1/messages`, which must name its cap."""
    ask = read_count_tokens(tree)
    ask.endpoint = Endpoint.MESSAGES
    ask.stream = _flag(tree, "stream")
    _cap(ask, "max_tokens")
    if ask.cap is None:
        raise InvalidParameter(name="max_tokens", rule="given: an integer of at least 1")
    ask.thinking = _thinking(tree)
    check_cap(ask, ask.cap)
    return ask


def read_count_tokens(tree: Tree) -> Ask:
    """A body of `/v1/messages/count_tokens`."""
    messages = _objects(tree, "messages")
    ask = Ask(Endpoint.COUNT_TOKENS, _model(tree), tree, usage_asked=True)
    _parts(ask, tree.get("system"))
    for message in messages:
        _parts(ask, message.get("content"))
    ask.tools = _listed(tree, "tools")
    ask.unbounded = tuple(_unbounded_messages(tree))
    return ask


def read_embeddings(tree: Tree) -> Ask:
    """A body of `/v1/embeddings`; its input is text, texts, tokens or lists of tokens."""
    wanted = tree.get("input")
    if not isinstance(wanted, str | list) or not wanted:
        raise InvalidParameter(name="input", rule="a text or a list that is not empty")
    return Ask(Endpoint.EMBEDDINGS, _model(tree), tree, usage_asked=True)


READERS: dict[Endpoint, Callable[[Tree], Ask]] = {
    Endpoint.CHAT: read_chat,
    Endpoint.RESPONSES: read_responses,
    Endpoint.MESSAGES: read_messages,
    Endpoint.COUNT_TOKENS: read_count_tokens,
    Endpoint.EMBEDDINGS: read_embeddings,
}


def check_cap(ask: Ask, cap: int) -> None:
    """Refuse a cap that leaves no room for the thinking that was asked for."""
    if ask.thinking >= cap:
        rule = f"less than the output cap, which counts it too: it is {ask.thinking}, the cap here is {cap}"
        raise InvalidParameter(name="thinking.budget_tokens", rule=rule)


# --- what will be sent: new top levels that share the rest, never a change of what was read


def write_model(tree: Tree, model: str) -> Tree:
    """The same request for another model."""
    return {**tree, "model": model}


def write_cap(tree: Tree, parameter: str, cap: int) -> Tree:
    """The same request with this output cap under this parameter and no other."""
    return {name: value for name, value in tree.items() if name == parameter or name not in CAPS} | {parameter: cap}


def ask_usage(tree: Tree) -> Tree:
    """The same streamed chat, asking for its usage as well."""
    return {**tree, "stream_options": {**(tree.get("stream_options") or {}), "include_usage": True}}


def draft(tree: Tree, parameter: str) -> bytes:
    """A request without any cap of this family, to be weighed before its cap is known; `capped` completes it.

    An empty `parameter` leaves the request as it is.
    """
    if parameter:
        tree = {name: value for name, value in tree.items() if name not in CAPS}
    return encode(tree)


def capped(sketch: bytes, parameter: str, cap: int) -> bytes:
    """A draft with its output cap written behind the last member: no second encoding of a long body."""
    return b'%b,"%b":%d}' % (sketch[:-1], parameter.encode(), cap) if parameter else sketch


# --- reading


def _model(tree: Tree) -> str:
    model = tree.get("model")
    if type(model) is not str or not 0 < len(model) <= LONGEST_MODEL:
        raise InvalidParameter(name="model", rule=f"the name of a model, at most {LONGEST_MODEL} characters")
    return model


def _flag(tree: Tree, name: str, path: str = "") -> bool:
    value = tree.get(name)
    if value is None:
        return False
    if type(value) is not bool:
        raise InvalidParameter(name=path or name, rule="true or false")
    return value


def _count(tree: Tree, name: str, most: int | None = None, path: str = "") -> int | None:
    value = tree.get(name)
    if value is None:
        return None
    if type(value) is not int or value < 1 or (most and value > most):
        rule = f"an integer from 1 to {most}" if most else "an integer of at least 1"
        raise InvalidParameter(name=path or name, rule=rule)
    return value


def _cap(ask: Ask, *names: str) -> None:
    for name in names:
        value = _count(ask.tree, name)
        if value is None:
            continue
        if ask.cap is not None:
            raise InvalidParameter(name=name, rule=f"left out where {ask.cap_parameter} is given")
        ask.cap, ask.cap_parameter = value, name


def _thinking(tree: Tree) -> int:
    thinking = tree.get("thinking")
    if thinking is None:
        return 0
    if type(thinking) is not dict:
        raise InvalidParameter(name="thinking", rule="an object")
    return _count(thinking, "budget_tokens", None, "thinking.budget_tokens") or 0


def _objects(tree: Tree, name: str) -> list[Tree]:
    value = tree.get(name)
    if type(value) is not list or not value:
        raise InvalidParameter(name=name, rule="a list that is not empty")
    for index, item in enumerate(value):
        if type(item) is not dict:
            raise InvalidParameter(name=f"{name}[{index}]", rule="an object")
    return value


def _listed(tree: Tree, name: str) -> int:
    value = tree.get(name)
    if value is None:
        return 0
    if type(value) is not list:
        raise InvalidParameter(name=name, rule="a list")
    return len(value)


def _parts(ask: Ask, content: Any) -> None:
    """Count what is not text among the parts of a message, in either dialect."""
    if type(content) is not list:
        return
    for part in content:
        if type(part) is dict and _word(part, "type") not in _TEXTS:
            _part(ask, part)


_TEXTS = frozenset({"text", "input_text", "output_text", "refusal", "tool_use", "thinking", "redacted_thinking"})
_IMAGES = frozenset({"image_url", "input_image", "image", "computer_screenshot"})
_FILES = frozenset({"file", "input_file", "document", "container_upload"})


def _part(ask: Ask, part: Tree) -> None:
    kind = _word(part, "type")
    if kind in _IMAGES:
        if _inline(part):
            ask.images_inline += 1
        else:
            ask.images += 1
    elif kind in _FILES:
        if _inline(part):
            ask.files_inline += 1
        else:
            ask.files += 1
    _parts(ask, part.get("content"))  # tool results
    source = part.get("source")
    if type(source) is dict:
        _parts(ask, source.get("content"))  # documents made of blocks


def _inline(part: Tree) -> bool:
    source = part.get("source")
    if type(source) is dict:
        return source.get("type") in ("base64", "text", "content")
    url = part.get("image_url")
    url = url.get("url") if type(url) is dict else url
    if isinstance(url, str):
        return url.startswith("data:")
    file = part.get("file")
    return "file_data" in (file if type(file) is dict else part)


# --- what cannot be bounded


_DEAR_SERVICE = frozenset({"priority", "fast", "scale"})
_CALLERS_TOOLS = ("function", "custom", "local_shell", "apply_patch", "computer", "computer_use_preview", "namespace")
_CALLERS_TOOLS_ANTHROPIC = ("custom", "bash_", "text_editor_", "computer_", "memory_", "browser_")


def _unbounded_chat(tree: Tree, messages: Iterable[Tree]) -> list[str]:
    found: list[str] = []
    if tree.get("web_search_options") is not None:
        found.append("web_search_options")
    if "service_tier" in tree:
        found += _dear_service(tree)
    modalities = tree.get("modalities")
    if type(modalities) is list and "audio" in modalities:
        found.append("modalities audio")
    for message in messages:
        if message.get("audio") is not None:
            found.append("messages[].audio")
            break
    return found


def _unbounded_responses(tree: Tree, items: Any) -> Iterable[str]:
    for name in ("previous_response_id", "conversation", "prompt", "context_management"):
        if tree.get(name) is not None:
            yield name
    if tree.get("background"):
        yield "background"
    yield from _dear_service(tree)
    for kind in _kinds_of_tools(tree):
        if kind not in _CALLERS_TOOLS:
            yield f"tools {kind}"
    if type(items) is list and any(item.get("type") == "item_reference" for item in items):
        yield "item_reference"


def _unbounded_messages(tree: Tree) -> Iterable[str]:
    if tree.get("mcp_servers"):
        yield "mcp_servers"
    if tree.get("inference_geo") not in (None, "global"):
        yield "inference_geo"
    if tree.get("speed") == "fast":
        yield "speed fast"
    for kind in _kinds_of_tools(tree):
        if kind and not kind.startswith(_CALLERS_TOOLS_ANTHROPIC):
            yield f"tools {kind}"
    if _caches_long(tree):
        yield "cache_control 1h"  # written at twice the price of input, which no price list of ours says yet
    management = tree.get("context_management")
    edits = management.get("edits") if type(management) is dict else None
    if type(edits) is list and any(_word(edit, "type").startswith("compact") for edit in edits):
        yield "context_management"


def _caches_long(tree: Tree) -> bool:
    blocks: list[Any] = [tree, *(tree.get("tools") or ())]
    for content in (tree.get("system"), *(message.get("content") for message in tree["messages"])):
        if type(content) is list:
            blocks += content
    for block in blocks:  # grows by what is within tool results
        if type(block) is dict:
            if "cache_control" in block and _word(block["cache_control"], "ttl") == "1h":
                return True
            if block.get("type") == "tool_result" and type(block.get("content")) is list:
                blocks += block["content"]
    return False


def _dear_service(tree: Tree) -> Iterable[str]:
    if (tier := _word(tree, "service_tier")) in _DEAR_SERVICE:
        yield f"service_tier {tier}"


def _kinds_of_tools(tree: Tree) -> Iterable[str]:
    return [_word(tool, "type")[:64] for tool in tree.get("tools") or ()]


def _word(value: Any, name: str) -> str:
    """The text that an object has under a name; "" where it is no object or has none."""
    word = value.get(name) if type(value) is dict else None
    return word if type(word) is str else ""
