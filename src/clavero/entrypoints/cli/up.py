"""`clavero up`: start everything, say in a few lines what can be done with it, end it in order."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
from cyclopts import Parameter

from clavero.bootstrap.reading import needs_server
from clavero.bootstrap.supervisor import open_seal
from clavero.domain.startup import Exit, StartFailure
from clavero.entrypoints.cli.speech import say, speak
from clavero.entrypoints.passphrases import passphrases
from clavero.entrypoints.premises import Premises, write_private
from clavero.entrypoints.processes import guard_memory
from clavero.entrypoints.supervisor import Opened, Start, Supervisor
from clavero.settings import BadSetting, Setting, Settings, UnknownSetting, provider_variables, read

_PROVIDER_OF = {"OPENAI_API_KEY": "openai", "ANTHROPIC_API_KEY": "anthropic"}


@Parameter(name="*", group="Listeners")
@dataclass(frozen=True)
class Listeners:
    """Where the gateway and the control plane listen, and how they show who they are."""

    gateway_host: str | None = None
    "Address of the gateway; another than loopback needs TLS (127.0.0.1)."
    gateway_port: int | None = None
    "Port of the gateway; 0 takes any free one (4141)."
    admin_host: str | None = None
    "Address of console and admin API; another than loopback needs TLS (127.0.0.1)."
    admin_port: int | None = None
    "Port of console and admin API; 0 takes any free one (4142)."
    gateway_url: str | None = None
    "URL that callers use for the gateway, where a proxy or balancer stands before it."
    admin_url: str | None = None
    "The same for the console."
    tls_cert: Path | None = None
    "PEM file of the certificate of both, with its chain."
    tls_key: Path | None = None
    "PEM file of its key, closed to others."
    behind_proxy: tuple[str, ...] = ()
    "Network of a proxy that brings TLS, such as 10.0.0.0/8; may be given again."

    def flags(self) -> dict[str, object]:
        """The settings that were given; None for the others."""
        return {
            "gateway.host": self.gateway_host,
            "gateway.port": self.gateway_port,
            "admin.host": self.admin_host,
            "admin.port": self.admin_port,
            "gateway.url": self.gateway_url,
            "admin.url": self.admin_url,
            "tls.cert": str(self.tls_cert) if self.tls_cert else None,
            "tls.key": str(self.tls_key) if self.tls_key else None,
            "behind.proxy": ", ".join(self.behind_proxy) or None,
        }


LISTENERS = Listeners()


@Parameter(name="*")
@dataclass(frozen=True)
class Processes:
    """What runs on this machine."""

    workers: int | None = None
    "Gateway processes (1)."
    control_plane: Literal["here", "elsewhere"] | None = None
    "elsewhere: carry calls for a control plane on another machine, on the same PostgreSQL (here)."

    def flags(self) -> dict[str, object]:
        """The settings that were given; None for the others."""
        return {"gateway.workers": self.workers, "control.plane": self.control_plane}


PROCESSES = Processes()


def up(  # noqa: PLR0913 - one parameter for each flag
    *,
    demo: bool = False,
    data_dir: Path | None = None,
    passphrase_file: Path | None = None,
    ready_file: Path | None = None,
    log_level: str | None = None,
    processes: Processes = PROCESSES,
    listeners: Listeners = LISTENERS,
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
    passphrase_file
        File that holds the vault's passphrase; else it is asked for, where the vault has one.
    ready_file
        Write one JSON object there, readable by you alone, once it serves.
    log_level
        debug, info, warning or error (info).
    """
    settings, sources = _settings(listeners.flags() | processes.flags() | {
        "storage.data_dir": str(data_dir) if data_dir else None,
        "vault.passphrase_file": str(passphrase_file) if passphrase_file else None,
        "log.level": log_level,
    })  # fmt: skip
    needs_server(settings)
    if demo and settings.is_outpost:
        fix = "start the demo where the control plane is"
        raise StartFailure("bad_setting", "--demo needs a control plane of its own", fix, Exit.USAGE)
    guard_memory()
    with Premises(settings.data) as premises:
        seal = open_seal(settings, passphrases(settings))  # may wait for a person, which no loop should
        start = Start(settings, tuple(sources), seal)
        return asyncio.run(_run(start, premises, demo=demo, ready_file=ready_file))


def _settings(flags: Mapping[str, object]) -> tuple[Settings, list[Setting]]:
    try:
        return read(flags)
    except (UnknownSetting, BadSetting) as error:
        raise StartFailure("bad_setting", str(error), "clavero settings shows every name", Exit.USAGE) from None


async def _run(start: Start, premises: Premises, *, demo: bool, ready_file: Path | None) -> int:
    settings = start.settings
    supervisor = Supervisor(start, premises, demo=demo)

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
    if settings.is_outpost:
        lines.append(f"  Console   {opened.admin_url or speak('elsewhere')}")
    else:
        lines.append(
            f"  Console   {link}  {speak('once')}" if link else f"  Console   {opened.admin_url}  clavero open"
        )
    trust = f"--cacert {data}/run/certificate.pem " if opened.ca_file else ""
    if demo:
        lines += [
            f"  {speak('provider')}  {speak('simulated')}",
            f"  {speak('keys')}  {', '.join(opened.facts.get('demo_keys', '').split())}",
            f"            {speak('private', place=f'{data}/demo/')}",
            "",
            speak("try"),
            f"  curl {trust}{opened.gateway_url}/v1/chat/completions \\",
            f'    -H @{data}/demo/header -H "Content-Type: application/json" \\',
            """    -d '{"model":"gpt-4o-mini","messages":[{"role":"user","content":"Hi"}]}'""",
        ]
    lines.append("")
    for name in () if settings.is_outpost else provider_variables():
        provider = _PROVIDER_OF.get(name)
        if provider:
            lines += [speak("found", name=name), f"  clavero credential add {provider} --from env:{name}"]
    lines.append(speak("ready", seconds=f"{opened.seconds:.1f}"))
    return "\n".join(lines) + "\n"


def _shown(folder: str) -> str:
    """A folder as it can be pasted and seen to be one."""
    return folder if folder.startswith(("/", "./", "../", "~")) else f"./{folder}"
