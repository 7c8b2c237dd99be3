"""One question put by an official SDK of Python: run by the interpreter that has it, told on standard output as JSON.

The first argument names the question; where the gateway is and the key are in the environment, as the SDK reads them.
`tests/e2e/node/asking.mjs` puts the same ones.
"""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ASKED: dict[str, Any] = json.loads(Path(__file__).with_name("asked.json").read_text())
Told = dict[str, Any]


def chat() -> Told:
    answer = _openai().chat.completions.create(**ASKED["chat"])
    return _told(answer.choices[0].message.content, answer.choices[0].finish_reason, answer.usage)


def stream() -> Told:
    chunks = list(_openai().chat.completions.create(**ASKED["stream"], stream=True))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    finish = next(chunk.choices[0].finish_reason for chunk in reversed(chunks) if chunk.choices)
    return _told(text, finish, chunks[-1].usage) | {"with_usage": sum(chunk.usage is not None for chunk in chunks)}


def quiet() -> Told:
    chunks = list(_openai().chat.completions.create(**ASKED["quiet"], stream=True))
    return {"with_usage": sum(chunk.usage is not None for chunk in chunks), "empty": sum(not c.choices for c in chunks)}


def tools() -> Told:
    answer = _openai().chat.completions.create(**ASKED["tools"])
    call = answer.choices[0].message.tool_calls[0].function
    return _told(None, answer.choices[0].finish_reason, answer.usage) | {"name": call.name, "input": call.arguments}


def tools_streamed() -> Told:
    name = arguments = ""
    for chunk in _openai().chat.completions.create(**ASKED["tools"], stream=True):
        for call in (chunk.choices[0].delta.tool_calls or []) if chunk.choices else []:
            if call.index == 0:
                name += call.function.name or ""
                arguments += call.function.arguments or ""
    return {"name": name, "input": arguments}


def embeddings() -> Told:
    answer = _openai().embeddings.create(**ASKED["embeddings"])
    return _told(None, None, answer.usage) | {"dimensions": [len(one.embedding) for one in answer.data]}


def responses() -> Told:
    answer = _openai().responses.create(**ASKED["responses"])
    return _told(answer.output_text, answer.status, answer.usage)


def responses_streamed() -> Told:
    events = list(_openai().responses.create(**ASKED["responses"], stream=True))
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    return _told(text, events[-1].response.status, events[-1].response.usage)


def cancel() -> Told:
    seen = 0
    with _openai().chat.completions.create(**ASKED["long"], stream=True) as answer:
        for _ in answer:
            seen += 1
            if seen == 5:
                break
    return {"seen": seen}


def too_long() -> Told:
    import openai

    words = ASKED["chat"] | {"messages": [{"role": "user", "content": "word " * 3000}]}
    try:
        _openai().chat.completions.create(**words)
    except openai.BadRequestError as error:
        return {"status": error.status_code, "code": error.code, "message": error.message}
    return {}


def messages() -> Told:
    answer = _anthropic().messages.create(**_message("messages"))
    return _told(answer.content[0].text, answer.stop_reason, answer.usage)


def messages_streamed() -> Told:
    with _anthropic().messages.stream(**_message("messages")) as answer:
        text = "".join(answer.text_stream)
        last = answer.get_final_message()
    return _told(text, last.stop_reason, last.usage)


def messages_tools() -> Told:
    answer = _anthropic().messages.create(**_message("messages_tools"))
    call = next(block for block in answer.content if block.type == "tool_use")
    return _told(None, answer.stop_reason, answer.usage) | {"name": call.name, "input": json.dumps(call.input)}


def messages_too_long() -> Told:
    import anthropic

    words = _message("messages") | {"messages": [{"role": "user", "content": "word " * 3000}]}
    try:
        _anthropic().messages.create(**words)
    except anthropic.BadRequestError as error:
        told: Any = error.body
        return {"status": error.status_code, "type": told["error"]["type"], "message": error.message}
    return {}


def _openai() -> Any:
    import openai

    return openai.OpenAI(max_retries=0)


def _anthropic() -> Any:
    import anthropic

    return anthropic.Anthropic(max_retries=0)


def _message(name: str) -> Told:
    """This SDK has no parameter for the temperature any more; the format has."""
    words = dict(ASKED[name])
    return words | {"extra_body": {"temperature": words.pop("temperature")}}


def _told(text: str | None, finish: str | None, usage: Any) -> Told:
    return {"text": text, "finish": finish, "usage": usage and usage.model_dump()}


QUESTIONS: dict[str, Callable[[], Told]] = {
    question.__name__: question
    for question in (
        chat, stream, quiet, tools, tools_streamed, embeddings, responses, responses_streamed, cancel, too_long,
        messages, messages_streamed, messages_tools, messages_too_long,
    )
}  # fmt: skip

if __name__ == "__main__":
    print(json.dumps(QUESTIONS[sys.argv[1]]()))
