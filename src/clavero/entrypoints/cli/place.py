"""Finding clavero: `--url`, else `CLAVERO_URL`, else what the running one has written into its data directory."""

import json
from pathlib import Path

from clavero.domain import tokens
from clavero.domain.secret import Secret
from clavero.domain.startup import Exit
from clavero.entrypoints.cli.client import Api, Place, checked
from clavero.entrypoints.cli.failure import Failure, usage
from clavero.entrypoints.cli.speech import speak
from clavero.settings import BadSetting, UnknownSetting, read, variable

_LONGEST_TOKEN = 4096


def data_of(data_dir: Path | None) -> Path:
    """The data directory: as given, else as the settings have it."""
    if data_dir is not None:
        return data_dir
    try:
        return read({})[0].data
    except (UnknownSetting, BadSetting) as error:
        raise usage(str(error), "clavero settings", "bad_setting") from None


def place_of(url: str | None, data_dir: Path | None) -> Place:
    """Where clavero is; `Failure` not_running where nothing says so."""
    data = data_of(data_dir)
    told = ready(data)
    named = url or variable("CLAVERO_URL")
    if named:
        address = checked(named)
        gateway = told.get("gateway_url", "") if told.get("admin_url", "") == address else ""
        return Place(address, _token_file(data), data, gateway)
    if "admin_url" not in told:
        fix = "clavero up" if data_dir is None else f"clavero up --data-dir {data}"
        raise Failure("not_running", speak("not_running", data=data), fix)
    return Place(checked(told["admin_url"]), _token_file(data), data, told.get("gateway_url", ""))


def open_api(place: Place, seconds: float) -> Api:
    """The API with the token that opens it."""
    return Api(place, read_token(place.token_file), seconds)


def ready(data: Path) -> dict[str, str]:
    """What the running clavero says of itself; empty where none runs."""
    try:
        told = json.loads((data / "run" / "ready.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(value) for name, value in told.items()} if isinstance(told, dict) else {}


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
