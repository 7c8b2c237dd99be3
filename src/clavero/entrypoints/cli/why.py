"""`clavero why`: which stage would refuse a call, and what mends it."""

from clavero.domain.startup import Exit
from clavero.entrypoints.cli.client import path_of
from clavero.entrypoints.cli.options import COMMON, Common
from clavero.entrypoints.cli.show import Cell, sign
from clavero.entrypoints.cli.speech import speak


def why(
    key: str, model: str, /, *, endpoint: str = "chat", max_tokens: int | None = None, common: Common = COMMON
) -> int:
    """Rehearse a call of a key, stage by stage; exit 5 where one would refuse.

    Example: clavero why prod-mail-01 gpt-4o-mini --max-tokens 500

    Parameters
    ----------
    key
        Name or public id of the key.
    model
        The model it would ask for.
    endpoint
        chat, responses, messages, embeddings, models or count_tokens.
    max_tokens
        Output tokens it would ask for.
    """
    answer = common.api().get(path_of("keys", key, "why"), model=model, endpoint=endpoint, max_tokens=max_tokens)
    steps = answer["steps"]
    ending = Exit.DONE if all(step["ok"] for step in steps) else Exit.REFUSED
    if common.json:
        common.answer(answer)
        return ending
    screen = common.screen()
    room = max((len(step["stage"]) for step in steps), default=0)
    for step in steps:
        code = f"  [{step['code']}]" if step["code"] else ""
        screen.line(sign("ok" if step["ok"] else "bad"), f" {step['stage']:{room}}  {step['text']}{code}")
    for step in steps:
        if step["fix"]:
            screen.line(f"{speak('fix')}: ", Cell(step["fix"], "paste"))
    return ending
