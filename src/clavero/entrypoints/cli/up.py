"""`clavero up`: start everything, say in a few lines what can be done with it, end it in order."""

import asyncio
import sys
from pathlib import Path

import msgspec

from clavero.bootstrap.supervisor import root_key_of
from clavero.domain.startup import Exit, StartFailure
from clavero.entrypoints.cli.speech import say, speak
from clavero.entrypoints.premises import Premises, write_private
from clavero.entrypoints.supervisor import Opened, Start, Supervisor
from clavero.settings import BadSetting, Settings, UnknownSetting, provider_variables, read

_PROVIDER_OF = {"OPENAI_API_KEY": "openai", "ANTHROPIC_API_KEY": "anthropic"}


def up(  # noqa: PLR0913 - one parameter for each flag
    *,
    demo: bool = False,
    data_dir: Path | None = None,
    gateway_port: int | None = None,
    admin_port: int | None = None,
    workers: int | None = None,
    ready_file: Path | None = None,
    log_level: str | None = None,
) -> int:
    """Start the gateway and its control plane.

    PostgreSQL instead of SQLite: DATABASE_URL=postgresql://… in the environment, since others can read a command line.

    Example: clavero up --demo --data-dir ./clavero-data --gateway-port 4141

    Parameters
    ----------
    demo
        Add the simulated provider and two keys.
    data_dir
        Directory of everything that must not be lost (./clavero-data).
    gateway_port
        Port of the gateway; 0 takes any free one (4141).
    admin_port
        Port of console and admin API; 0 takes any free one (4142).
    workers
        Gateway processes (1).
    ready_file
        Write one JSON object there, readable by you alone, once it serves.
    log_level
        debug, info, warning or error (info).
    """
    flags = {
        "storage.data_dir": str(data_dir) if data_dir else None,
        "gateway.port": gateway_port,
        "gateway.workers": workers,
        "admin.port": admin_port,
        "log.level": log_level,
    }
    try:
        settings, sources = read(flags)
    except (UnknownSetting, BadSetting) as error:
        raise StartFailure("bad_setting", str(error), "clavero settings shows every name", Exit.USAGE) from None
    with Premises(settings.data) as premises:
        return asyncio.run(_run(Start(settings, tuple(sources)), premises, demo=demo, ready_file=ready_file))


async def _run(start: Start, premises: Premises, *, demo: bool, ready_file: Path | None) -> int:
    settings = start.settings
    supervisor = Supervisor(start, root_key_of(settings), premises, demo=demo)

    def opened(facts: Opened) -> None:
        if ready_file is not None:
            write_private(ready_file, msgspec.json.encode(_ready(settings, facts, demo=demo)))
        sys.stdout.write(banner(settings, facts, demo=demo))
        sys.stdout.flush()

    return int(await supervisor.run(opened, lambda: say(speak("draining"))))


def _ready(settings: Settings, opened: Opened, *, demo: bool) -> dict[str, object]:
    told: dict[str, object] = {
        "gateway_url": opened.gateway_url,
        "admin_url": opened.admin_url,
        "admin_token_file": str((settings.data / "admin.token").resolve()),
    }
    if demo:
        told["keys"] = [
            {"name": name, "key_file": str((settings.data / "demo" / f"{name}.key").resolve())}
            for name in opened.facts.get("demo_keys", "").split()
        ]
    return told


def banner(settings: Settings, opened: Opened, *, demo: bool) -> str:
    """The first minute: where it is, what to paste. Never a key; the one-time link ends after its first use."""
    data = _shown(settings.storage.data_dir)
    lines = [f"{speak('title', version=opened.facts.get('version', ''))}{' · demo' if demo else ''} · {data}", ""]
    link = opened.facts.get("link", "")
    lines.append(f"  Gateway   {opened.gateway_url}")
    lines.append(f"  Console   {link}  {speak('once')}" if link else f"  Console   {opened.admin_url}  clavero open")
    if demo:
        lines += [
            f"  {speak('provider')}  {speak('simulated')}",
            f"  {speak('keys')}  {', '.join(opened.facts.get('demo_keys', '').split())}",
            f"            {speak('private', place=f'{data}/demo/')}",
            "",
            speak("try"),
            f"  curl {opened.gateway_url}/v1/chat/completions \\",
            f'    -H @{data}/demo/header -H "Content-Type: application/json" \\',
            """    -d '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}'""",
        ]
    lines.append("")
    for name in provider_variables():
        provider = _PROVIDER_OF.get(name)
        if provider:
            lines += [speak("found", name=name), f"  clavero credential add {provider} --from env:{name}"]
    lines.append(speak("ready", seconds=f"{opened.seconds:.1f}"))
    return "\n".join(lines) + "\n"


def _shown(folder: str) -> str:
    """A folder as it can be pasted and seen to be one."""
    return folder if folder.startswith(("/", "./", "../", "~")) else f"./{folder}"
