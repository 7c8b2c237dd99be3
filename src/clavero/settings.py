"""How this process runs: read once, frozen, nested by topic. Flag over `CLAVERO_*` over `clavero.toml` over default.

The name of a setting is its topic and field: `gateway.port` is `--gateway-port`, `CLAVERO_GATEWAY_PORT`, and `port`
under `[gateway]`. pydantic would weigh on the gateway worker, so the reader is our own and small.
"""

import difflib
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import Meta, Struct

from clavero.domain.forwarded import read_proxies
from clavero.domain.proxies import read_proxy
from clavero.domain.reach import read_host, read_url
from clavero.domain.witnesses import read_collector, read_witnesses

Port = Annotated[int, Meta(ge=0, le=65535)]
Seconds = Annotated[float, Meta(gt=0, le=86_400)]

PREFIX = "CLAVERO_"
FILE = Path("clavero.toml")
# Names with our prefix that are no settings of a process: the command line's own.
_OTHERS = {"CLAVERO_URL", "CLAVERO_ADMIN_TOKEN_FILE", "CLAVERO_CA_FILE", "CLAVERO_TEST_PROFILE"}
_SECRETS = ("KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIALS", "DATABASE_URL", "PROXY", "proxy")
# Names that everybody writes without our prefix; of two spellings the last one counts.
_KNOWN_ELSEWHERE = {
    "DATABASE_URL": "storage.database_url",
    "HTTPS_PROXY": "upstream.https_proxy", "https_proxy": "upstream.https_proxy",
    "HTTP_PROXY": "upstream.http_proxy", "http_proxy": "upstream.http_proxy",
    "NO_PROXY": "upstream.no_proxy", "no_proxy": "upstream.no_proxy",
}  # fmt: skip
# Where a value that is a secret may lie, as containers and systemd hand it out: one line in a file.
_IN_FILES = {"DATABASE_URL_FILE": "DATABASE_URL"}
# What a text must be besides a text; each raises `ValueError` with the rule.
_RULES: dict[str, Callable[[str], object]] = {
    "gateway.host": read_host, "admin.host": read_host, "gateway.url": read_url, "admin.url": read_url,
    "behind.proxy": read_proxies, "upstream.https_proxy": read_proxy, "upstream.http_proxy": read_proxy,
    "audit.witness": read_witnesses, "audit.s3_endpoint": read_url, "audit.syslog": read_collector,
}  # fmt: skip


class Gateway(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The data plane."""

    host: Annotated[str, Meta(description="Address the gateway listens on; another than loopback needs TLS.")] = (
        "127.0.0.1"
    )
    port: Annotated[Port, Meta(description="Port of the gateway; 0 takes any free one.")] = 4141
    url: Annotated[str, Meta(description="How callers reach the gateway; empty is its own address.")] = ""
    workers: Annotated[int, Meta(ge=1, le=64, description="Gateway processes; each takes a core.")] = 1
    body_bytes: Annotated[int, Meta(ge=1024, description="Largest request body, in bytes.")] = 10 * 1024 * 1024
    drain_seconds: Annotated[Seconds, Meta(description="How long open calls may take to end after a stop.")] = 30.0


class Admin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The control plane."""

    host: Annotated[
        str, Meta(description="Address console and admin API listen on; another than loopback needs TLS.")
    ] = "127.0.0.1"
    port: Annotated[Port, Meta(description="Port of console and admin API; 0 takes any free one.")] = 4142
    url: Annotated[str, Meta(description="How people reach the console; empty is its own address.")] = ""


class Control(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where is decided and remembered."""

    plane: Annotated[
        Literal["here", "elsewhere"],
        Meta(description="`elsewhere`: this machine carries calls for a control plane on another; needs PostgreSQL."),
    ] = "here"


class Ledger(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a worker that nobody hears from is given up."""

    stale_seconds: Annotated[
        float,
        Meta(ge=2, le=86_400, description="A worker out of touch with the database for so long holds no more money."),
    ] = 900.0


class Tls(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The certificate of both listeners."""

    cert: Annotated[str, Meta(description="PEM file of the certificate and those between it and the root.")] = ""
    key: Annotated[str, Meta(description="PEM file of its private key, closed to others, without a passphrase.")] = ""


class Behind(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands before both listeners."""

    proxy: Annotated[
        str, Meta(description="Networks of the proxies whose X-Forwarded-* is believed, separated by commas.")
    ] = ""


class Storage(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where state lives."""

    data_dir: Annotated[str, Meta(description="Directory of everything that must not be lost.")] = "clavero-data"
    database_url: Annotated[str, Meta(description="postgresql://…; empty is SQLite in the data directory.")] = ""


class Journal(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What survives what."""

    durability: Annotated[
        Literal["process", "power"],
        Meta(description="`process` survives kill -9; `power` waits for the disk before each call and survives a cut."),
    ] = "process"
    kept_segments: Annotated[int, Meta(ge=0, description="Ingested segments kept, 16 MiB each.")] = 4


class Retention(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long what is kept for each."""

    records_days: Annotated[
        int, Meta(ge=0, le=36_500, description="Days that requests are kept, and their sums by hour; 0 is for ever.")
    ] = 90
    rollups_days: Annotated[
        int, Meta(ge=0, le=36_500, description="Days that sums by day are kept, at least as long as records.")
    ] = 1100
    ledger_days: Annotated[
        int, Meta(ge=0, le=36_500, description="Days that past windows of budgets are kept, at least as long as sums.")
    ] = 1100


class Vault(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who unlocks the vault."""

    passphrase_file: Annotated[
        str, Meta(description="File that holds the vault's passphrase; empty asks at the terminal, where it has one.")
    ] = ""


class Audit(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who vouches for the audit trail."""

    witness: Annotated[
        str,
        Meta(
            description="Who else keeps what is signed of the trail: files, git:/folder of a clone, s3://bucket/prefix."
        ),
    ] = ""
    s3_endpoint: Annotated[
        str,
        Meta(
            description="Where s3:// is, http(s)://host[:port]; empty for AWS. Credentials: as AWS's tools find them."
        ),
    ] = ""
    syslog: Annotated[
        str,
        Meta(description="Who is told every row: tls://host[:port], tcp://host[:port], udp://host[:port], unix:/path."),
    ] = ""


class Backup(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a restore can come back to."""

    every_hours: Annotated[
        float, Meta(ge=0, le=8784, description="Hours between two backups into DATA/backup; 0 takes none by itself.")
    ] = 0.0
    keep: Annotated[int, Meta(ge=1, le=1000, description="How many of those stay; the oldest go.")] = 7
    journal_days: Annotated[
        float, Meta(ge=0, le=366, description="Days that what was written after a backup stays readable for a restore.")
    ] = 7.0


class Keys(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What virtual keys may be called."""

    name_pattern: Annotated[
        str,
        Meta(description="Regular expression with the groups env, service, purpose, nn; empty is ours."),
    ] = ""
    name_words: Annotated[str, Meta(description="The pattern as people read it in a refusal.")] = ""


class Organisation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who answers for keys."""

    transfer_days: Annotated[
        int, Meta(ge=0, le=366, description="Days in which the keys of a member who left are to get another owner.")
    ] = 14
    orphan_keys: Annotated[
        Literal["flag", "suspend"],
        Meta(description="What becomes of keys whose transfer is overdue: told everywhere, or disabled as well."),
    ] = "flag"


class Upstream(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How long a provider may take, and how often it is asked."""

    connect_seconds: Annotated[Seconds, Meta(description="To connect, TLS included.")] = 5.0
    first_byte_seconds: Annotated[Seconds, Meta(description="To the first byte of the answer.")] = 30.0
    idle_seconds: Annotated[Seconds, Meta(description="Between two reads of an answer.")] = 30.0
    total_seconds: Annotated[Seconds, Meta(description="For one call in all; long streams included.")] = 600.0
    attempts: Annotated[int, Meta(ge=1, le=10, description="Calls of one target, the first included.")] = 3
    https_proxy: Annotated[
        str, Meta(description="Proxy for providers over TLS: http(s)://[user:password@]host:port.")
    ] = ""
    http_proxy: Annotated[str, Meta(description="Proxy for providers without TLS.")] = ""
    no_proxy: Annotated[str, Meta(description="Who is called without a proxy: names, addresses, networks, or *.")] = ""


class Log(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written to stderr."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="The least serious line that is written.")
    ] = "info"
    access: Annotated[bool, Meta(description="One line for each exchange.")] = True


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a process of clavero is told at its start."""

    gateway: Gateway = Gateway()
    admin: Admin = Admin()
    control: Control = Control()
    ledger: Ledger = Ledger()
    tls: Tls = Tls()
    behind: Behind = Behind()
    storage: Storage = Storage()
    journal: Journal = Journal()
    retention: Retention = Retention()
    vault: Vault = Vault()
    audit: Audit = Audit()
    backup: Backup = Backup()
    keys: Keys = Keys()
    organisation: Organisation = Organisation()
    upstream: Upstream = Upstream()
    log: Log = Log()

    @property
    def is_outpost(self) -> bool:
        """Whether this machine carries calls for a control plane that runs on another."""
        return self.control.plane == "elsewhere"

    @property
    def data(self) -> Path:
        """The data directory."""
        return Path(self.storage.data_dir)


class Setting(Struct, frozen=True):
    """One setting, its value and where the value came from: default, a file, a variable or a flag."""

    name: str
    value: object
    source: str
    description: str


class UnknownSetting(ValueError):
    """A name that is no setting."""

    def __init__(self, name: str, near: str, source: str) -> None:
        super().__init__(f"{source}: there is no setting {name}" + (f"; the nearest is {near}" if near else ""))


class BadSetting(ValueError):
    """A value that a setting does not take."""


def read(
    flags: Mapping[str, object], environ: Mapping[str, str] | None = None, file: Path = FILE
) -> tuple[Settings, list[Setting]]:
    """The settings and where each came from; `flags` are `topic.field` to value, None for a flag that was not given.

    Raises `UnknownSetting` with the nearest name, `BadSetting` with the rule.
    """
    found: dict[str, tuple[object, str]] = {}
    for layer in (_from_file(file), _from_environment(os.environ if environ is None else environ)):
        found.update(layer)
    found.update({name: (value, f"--{name.replace('.', '-')}") for name, value in flags.items() if value is not None})
    topics: dict[str, dict[str, object]] = {}
    for name, (value, source) in found.items():
        topic, _, field = name.partition(".")
        topics.setdefault(topic, {})[field] = _checked(name, value, source)
    settings = msgspec.convert(topics, Settings)
    return settings, [
        Setting(name, getattr(getattr(settings, topic), field), found.get(name, (None, "default"))[1], _describe(hint))
        for name, topic, field, hint in _fields()
    ]


def provider_variables(environ: Mapping[str, str] | None = None) -> list[str]:
    """Names of providers' key variables that are set here; their values are never read unasked."""
    wanted = ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AZURE_OPENAI_API_KEY", "GEMINI_API_KEY", "PERPLEXITY_API_KEY")
    present = os.environ if environ is None else environ
    return [name for name in wanted if name in present]


def variable(name: str, environ: Mapping[str, str] | None = None) -> str:
    """One variable that the operator named in a command; "" where it is not set."""
    return (os.environ if environ is None else environ).get(name, "")


def environment() -> dict[str, str]:
    """What a child process inherits: everything but what looks like a secret; settings come to it down a pipe."""
    return {name: value for name, value in os.environ.items() if not name.endswith(_SECRETS)}


def _fields() -> Iterator[tuple[str, str, str, Any]]:
    for topic, kind in get_type_hints(Settings).items():
        for field, hint in get_type_hints(kind, include_extras=True).items():
            yield f"{topic}.{field}", topic, field, hint


def _describe(hint: Any) -> str:
    metas = getattr(hint, "__metadata__", ())
    return next((str(meta.description) for meta in reversed(metas) if meta.description), "")


def _checked(name: str, value: object, source: str) -> object:
    hints = {known: hint for known, _, _, hint in _fields()}
    if name not in hints:
        raise UnknownSetting(name, next(iter(difflib.get_close_matches(name, hints, 1, 0.4)), ""), source)
    try:
        checked = msgspec.convert(value, hints[name], strict=False)
    except msgspec.ValidationError as error:
        raise BadSetting(f"{source}: {name} is {value!r}; {error}") from None
    try:
        _RULES.get(name, str)(checked)
    except ValueError as error:  # it may hold a password, and is not repeated
        raise BadSetting(f"{source}: {name} {error}") from None
    return checked


def _from_file(file: Path) -> Iterator[tuple[str, tuple[object, str]]]:
    if not file.exists():
        return
    try:
        topics = tomllib.loads(file.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSetting(f"{file}: {error}") from None
    for topic, fields in topics.items():
        if not isinstance(fields, dict):
            raise UnknownSetting(topic, "", str(file))
        yield from ((f"{topic}.{field}", (_listed(value), str(file))) for field, value in fields.items())


def _listed(value: object) -> object:
    """A list of texts as one, since variables and flags are single."""
    texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return ", ".join(value) if isinstance(value, list) and texts else value


def _line_of(file: Path, source: str) -> str:
    """The one line of a file; what it holds is never said back."""
    try:
        text = file.read_text("utf-8").removesuffix("\n").removesuffix("\r")
    except OSError as error:
        raise BadSetting(f"{source}: cannot read {file} ({(error.strerror or type(error).__name__).lower()})") from None
    except UnicodeDecodeError:
        text = ""
    if not text or not text.isprintable():
        raise BadSetting(f"{source}: {file} must hold one line")
    return text


def _from_environment(environ: Mapping[str, str]) -> Iterator[tuple[str, tuple[object, str]]]:
    names = {PREFIX + name.upper().replace(".", "_"): name for name, *_ in _fields()}
    for variable_name, name in _KNOWN_ELSEWHERE.items():
        if environ.get(variable_name):
            yield name, (environ[variable_name], variable_name)
    for variable_name, meant in _IN_FILES.items():
        if environ.get(variable_name):
            if environ.get(meant):
                raise BadSetting(f"both {meant} and {variable_name} are set")
            yield _KNOWN_ELSEWHERE[meant], (_line_of(Path(environ[variable_name]), variable_name), variable_name)
    for variable_name, value in environ.items():
        if variable_name in names:
            yield names[variable_name], (value, variable_name)
        elif variable_name.startswith(PREFIX) and variable_name not in _OTHERS:
            near = next(iter(difflib.get_close_matches(variable_name, names, 1, 0.4)), "")
            raise UnknownSetting(variable_name, near, "environment")
