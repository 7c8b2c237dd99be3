"""`clavero open`: a link that signs in to the console once."""

import sys

from clavero.entrypoints.cli.options import COMMON, Common
from clavero.entrypoints.cli.show import Cell


def open_console(*, browser: bool = False, common: Common = COMMON) -> int:
    """Make a link to the console; it works once, within 15 minutes.

    Example: clavero open --browser

    Parameters
    ----------
    browser
        Open it in this machine's browser and show it nowhere.
    """
    told = common.api().post("/link")
    if browser and _opened(str(told["link"])):
        return 0
    if common.json:
        return common.answer(told)
    common.note("link")
    common.screen().line(Cell(told["link"], "paste"))
    return 0


def _opened(link: str) -> bool:
    """Whether a browser took it; a link handed to one stands in its arguments for a moment, so only on a desktop."""
    import webbrowser

    if not sys.stdout.isatty():
        return False
    try:
        return webbrowser.open(link)
    except webbrowser.Error:
        return False
