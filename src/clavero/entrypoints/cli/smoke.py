"""`clavero smoke`: one small real call through the gateway, and whether all that was promised of it is true."""

from pathlib import Path
from typing import Any

from clavero.domain.money import from_usd
from clavero.domain.secret import Secret
from clavero.domain.startup import Exit
from clavero.entrypoints.cli.call import Answered, chat
from clavero.entrypoints.cli.client import Api, Trust, checked, path_of
from clavero.entrypoints.cli.failure import Failure, usage
from clavero.entrypoints.cli.options import COMMON, Common, dollars
from clavero.entrypoints.cli.show import sign
from clavero.entrypoints.cli.sources import is_virtual_key, virtual_key
from clavero.entrypoints.cli.speech import speak
from clavero.entrypoints.cli.usage import tokens_of
from clavero.entrypoints.cli.when import milliseconds
from clavero.settings import variable

PROMISED = (
    "x-request-id", "request-id", "x-clavero-attempts", "x-clavero-overhead-ms", "x-clavero-key", "x-clavero-model",
    "x-clavero-provider",
)  # fmt: skip
_PATIENCE = 3.0
Check = dict[str, Any]


def smoke(
    *,
    key_file: Path | None = None,
    model: str = "gpt-4o-mini",
    stream: bool = False,
    gateway_url: str = "",
    common: Common = COMMON,
) -> int:
    """Make one small real call and check headers, model, times, and its cost against the ledger.

    Exit 5 where the gateway refuses, 6 where the provider fails, 1 where something does not add up.

    Example: clavero smoke --stream --key-file clavero-data/demo/prod-support-chat-01.key

    Parameters
    ----------
    key_file
        File of a virtual key (the demo's, else OPENAI_API_KEY where that is one).
    model
        The model to ask for.
    stream
        Ask for a stream.
    gateway_url
        Address of the gateway (that of the clavero that runs on the data directory).
    """
    api = common.api()
    key = chosen_key(key_file, api.place.data)
    given = gateway_url or (not api.place.gateway and str(api.get("/status").get("gateway_url", "")))
    gateway, trust = api.place.gateway, api.place.trust
    if given:
        gateway, trust = checked(given), Trust(variable("CLAVERO_CA_FILE"))
    answered = chat(gateway, key, model, trust, stream=stream)
    checks = [headers_check(answered), model_check(model, answered), _times(answered), cost_check(api, answered)]
    if common.json:
        common.answer({"request_id": answered.request_id, "checks": checks})
    else:
        screen = common.screen()
        for check in checks:
            screen.line(sign("ok" if check["ok"] else "bad"), f" {check['check']:7}  {check['text']}")
    return Exit.DONE if all(check["ok"] for check in checks) else Exit.FAILED


def chosen_key(key_file: Path | None, data: Path) -> Secret:
    """The key to try with; a usage error where there is none."""
    if key_file is not None:
        return virtual_key(key_file)
    demo = sorted((data / "demo").glob("*.key")) if (data / "demo").is_dir() else []
    if demo:
        return virtual_key(demo[0])
    named = variable("OPENAI_API_KEY").strip()
    if not is_virtual_key(named):
        raise usage(speak("no_key"), speak("no_key_fix"), "no_key")
    return Secret(named)


def headers_check(answered: Answered) -> Check:
    """Whether every header that the gateway promises is there."""
    missing = [name for name in PROMISED if not answered.headers.get(name)]
    text = speak("headers_bad", names=", ".join(missing)) if missing else speak("headers_ok")
    return {"check": "headers", "ok": not missing, "text": text}


def model_check(asked: str, answered: Answered) -> Check:
    """What was asked and what was served, by whom."""
    served, provider = answered.headers.get("x-clavero-model", "?"), answered.headers.get("x-clavero-provider", "?")
    text = speak("model_ok", asked=asked, served=served, provider=provider)
    return {"check": "model", "ok": served != "?" and provider != "?", "text": text}


def cost_check(api: Api, answered: Answered) -> Check:
    """Whether the record says what the answer said: its cost where the head told it, and its tokens always."""
    try:
        kept = api.get(path_of("requests", answered.request_id))
    except Failure as failure:
        if failure.exit_code != Exit.NOT_FOUND:
            raise
        return {"check": "cost", "ok": False, "text": speak("cost_unread", seconds=f"{_PATIENCE:g}")}
    cost, tokens = kept["cost_nano_usd"], tokens_of(kept)
    told = answered.headers.get("x-clavero-cost")
    costs = told is None or abs(from_usd(told) - cost) <= _ROUNDED
    counted = answered.tokens in {None, tokens}
    if costs and counted:
        text = speak("cost_ok", cost=dollars(cost, 6), tokens=f"{tokens:,}")
        return {"check": "cost", "ok": True, "text": text}
    said = f"{told or '?'} USD, {answered.tokens} tokens"
    text = speak("cost_bad", told=said, kept=f"{dollars(cost, 6)}, {tokens:,} tokens")
    return {"check": "cost", "ok": False, "text": text}


_ROUNDED = 500  # nano-USD: the header has six places


def _times(answered: Answered) -> Check:
    total, ours = milliseconds(answered.total_us), answered.headers.get("x-clavero-overhead-ms", "?")
    ours = f"{float(ours):.1f} ms" if ours != "?" else ours
    if not answered.streamed:
        return {"check": "answer", "ok": True, "text": speak("answer_ok", total=total, ours=ours)}
    if not answered.whole:
        return {"check": "stream", "ok": False, "text": speak("cut")}
    first = milliseconds(answered.first_us)
    return {"check": "stream", "ok": True, "text": speak("stream_ok", first=first, total=total, ours=ours)}
