"""Finding clavero: `--url`, else `CLAVERO_URL`, else what the running one has written into its data directory."""

from pathlib import Path

import msgspec
from msgspec import Struct

from clavero.domain import tokens
from clavero.domain.secret import Secret
from clavero.domain.startup import Exit
from clavero.entrypoints.cli.client import Api, Place, Trust, checked
from clavero.entrypoints.cli.failure import Failure, usage
from clavero.entrypoints.cli.speech import speak
from clavero.settings import BadSetting, Settings, UnknownSetting, read, variable

_LONGEST_TOKEN = 4096


class Here(Struct, frozen=True):
    """How a program on the same machine reaches it: URLs that need no resolver, and what their certificate says."""

    gateway: str = ""
    admin: str = ""
    name: str = ""
    ca_file: str = ""


class Told(Struct, frozen=True):
    """What stands in `run/ready.json`; the URLs are those of everybody."""

    gateway_url: str = ""
    admin_url: str = ""
    here: Here = Here()

    def __bool__(self) -> bool:
        return bool(self.admin_url)


def data_of(data_dir: Path | None) -> Path:
    """The data directory: as given, else as the settings have it."""
    return data_dir if data_dir is not None else settings_of(None).data


def settings_of(data_dir: Path | None, passphrase_file: Path | None = None) -> Settings:
    """What a start here would be told; a usage error where a setting is wrong."""
    given = {"storage.data_dir": data_dir, "vault.passphrase_file": passphrase_file}
    try:
        return read({name: str(path) if path else None for name, path in given.items()})[0]
    except (UnknownSetting, BadSetting) as error:
        raise usage(str(error), "clavero settings", "bad_setting") from None


def place_of(url: str | None, data_dir: Path | None) -> Place:
    """Where clavero is; `Failure` not_running where nothing says so."""
    data = data_of(data_dir)
    told = ready(data)
    named = url or variable("CLAVERO_URL")
    if named and checked(named) != told.admin_url:
        return Place(checked(named), _token_file(data), data, trust=Trust(variable("CLAVERO_CA_FILE")))
    if not told:
        fix = "clavero up" if data_dir is None else f"clavero up --data-dir {data}"
        raise Failure("not_running", speak("not_running", data=data), fix)
    here = told.here
    trust = Trust(variable("CLAVERO_CA_FILE") or here.ca_file, here.name)
    url = here.admin or checked(told.admin_url)  # what never leaves this machine needs no TLS
    return Place(url, _token_file(data), data, here.gateway or told.gateway_url, trust)


def open_api(place: Place, seconds: float) -> Api:
    """The API with the token that opens it."""
    return Api(place, read_token(place.token_file), seconds)


def ready(data: Path) -> Told:
    """What the running clavero says of itself; empty where none runs."""
    try:
        return msgspec.json.decode((data / "run" / "ready.json").read_bytes(), type=Told)
    except (OSError, msgspec.MsgspecError):
        return Told()


def read_token(file: Path) -> Secret:
    """The admin token; `Failure` where the file is away, closed to us, or holds something else."""
    fix = "CLAVERO_ADMIN_TOKEN_FILE=FILE"
    try:
        with file.open("rb") as opened:
            text = opened.read(_LONGEST_TOKEN).decode("ascii").strip()
    except FileNotFoundError:
        raise Failure("not_signed_in", speak("no_token", file=file), fix, Exit.SIGN_IN) from None
    except OSError as error:
        what = (error.strerror or type(error).__name__).lower()
        raise Failure("not_signed_in", speak("token_closed", file=file, what=what), fix, Exit.SIGN_IN) from None
    except UnicodeDecodeError:
        text = ""
    shape = tokens.read(text)
    if shape is None or shape.kind != tokens.Kind.ADMIN or not tokens.checksum_ok(text):
        raise Failure("not_signed_in", speak("token_other", file=file), fix, Exit.SIGN_IN)
    return Secret(text)


def _token_file(data: Path) -> Path:
    named = variable("CLAVERO_ADMIN_TOKEN_FILE")
    return Path(named) if named else data / "admin.token"
