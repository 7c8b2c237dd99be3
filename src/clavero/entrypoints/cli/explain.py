"""`clavero explain`: what a code or a status means; needs nothing that runs."""

from clavero.domain.catalogue import Entry, codes, entry, nearest
from clavero.domain.startup import Exit
from clavero.entrypoints.cli.failure import Failure
from clavero.entrypoints.cli.options import COMMON, Common
from clavero.entrypoints.cli.show import Cell, Column
from clavero.entrypoints.cli.speech import heading, language, speak
from clavero.entrypoints.http.errors import explain as explained


def explain(code: str = "", /, *, common: Common = COMMON) -> int:
    """Explain an error code, or every code that answers with a status; all of them where none is named.

    Example: clavero explain 429

    Parameters
    ----------
    code
        A code such as insufficient_quota, or a status such as 429.
    """
    found = explained(code, language()) if code else everything()
    if not found:
        near = nearest(code)
        fix = f"clavero explain {near}" if near else speak("codes_fix")
        raise Failure("not_found", speak("no_code", code=code), fix, Exit.NOT_FOUND)
    if common.json:
        return common.answer(
            {"codes": [{name: getattr(one, name) for name in Entry.__struct_fields__} for one in found]}
        )
    screen = common.screen()
    if len(found) > 1:
        columns = [Column(heading(name)) for name in ("CODE", "FACT", "FIX")]
        screen.table(columns, [(Cell(one.code, "paste"), one.fact, one.fix) for one in found])
        return Exit.DONE
    (one,) = found
    screen.line(Cell(one.code, "paste"), f"  {one.fact}")
    screen.line(f"  {speak('cause')}: {one.cause}")
    screen.line(f"  {speak('fix')}: {one.fix}")
    return Exit.DONE


def everything() -> list[Entry]:
    """Every code that there is, in the language of the terminal."""
    return [found.explained() for code in codes() if (found := entry(code, language())) is not None]
