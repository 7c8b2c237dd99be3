"""What each error code means: where the `doc_url` of a refusal leads. Open to everyone; it tells nothing of ours."""

from starlette.responses import Response

from clavero.domain.catalogue import codes, entry, nearest
from clavero.domain.refusals import NotFound
from clavero.entrypoints.http.console.visit import Visit


async def index(visit: Visit) -> Response:
    """Every code with its fact."""
    found = [one.explained() for code in codes() if (one := entry(code, visit.language))]
    return visit.page("errors.html", title=visit.words("errors.title"), entries=found, one=None)


async def show(visit: Visit) -> Response:
    """One code: its fact, its usual cause, its remedy."""
    code = visit.named("code")
    found = entry(code, visit.language)
    if found is None:
        raise NotFound("error code", code, nearest(code))
    return visit.page("errors.html", title=code, entries=[], one=found.explained())
