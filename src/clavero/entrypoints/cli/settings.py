"""`clavero settings`: each value and where it came from; of this command where nothing runs."""

from pathlib import Path
from typing import Any

from msgspec import structs

from clavero.domain.secret import mask
from clavero.entrypoints.cli.failure import usage
from clavero.entrypoints.cli.options import COMMON, Common
from clavero.entrypoints.cli.place import data_of, ready
from clavero.entrypoints.cli.show import Cell
from clavero.settings import BadSetting, UnknownSetting, read, variable


def settings(*, common: Common = COMMON) -> int:
    """Show every setting with its source: of the running clavero, else of the next start here.

    Example: clavero settings
    """
    told = running(common) or local(common.data_dir)
    if common.json:
        return common.answer({"settings": told})
    rows = [
        (one["name"], Cell(str(one["value"])), Cell(one["source"], "dim" if one["source"] == "default" else ""),
         one["description"])
        for one in told
    ]  # fmt: skip
    return common.table("SETTING VALUE SOURCE WHAT", rows, "clavero up")


def running(common: Common) -> list[dict[str, Any]]:
    """What the running clavero was told at its start; empty where none runs."""
    if not (common.url or variable("CLAVERO_URL") or ready(data_of(common.data_dir))):
        return []
    found: list[dict[str, Any]] = common.api().get("/settings")["settings"]
    return found


def local(data_dir: Path | None) -> list[dict[str, Any]]:
    """What a start here would be told; passwords in addresses are masked."""
    flags = {"storage.data_dir": str(data_dir) if data_dir else None}
    try:
        _, found = read(flags)
    except (UnknownSetting, BadSetting) as error:
        raise usage(str(error), "clavero settings --help", "bad_setting") from None
    return [{**structs.asdict(one), "value": _plain(one.value)} for one in found]


def _plain(value: object) -> object:
    return value if isinstance(value, bool | int | float) else mask(str(value))
