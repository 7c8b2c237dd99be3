"""The page at `/api/docs`: a viewer of our OpenAPI description, all of it shipped with the package."""

from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from clavero.domain.errors import EndpointNotFound

routes = APIRouter(include_in_schema=False)  # open: what the API is like is no secret
DESCRIPTION = "/api/v1/openapi.json"
_STATIC = Path(__file__).parent / "static"
_TYPES = {
    "viewer.js": "text/javascript; charset=utf-8",
    "docs.js": "text/javascript; charset=utf-8",
    "docs.css": "text/css; charset=utf-8",
    "LICENSE.txt": "text/plain; charset=utf-8",
}
# The viewer sets attributes named `style`, and makes two style sheets that are known by their digests; a script in the
# page, or any other style sheet, is refused.
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'sha256-9RqdhYwf6ux7ElzTrDxkS3Dh+XsQuq+K76aR5+D1vNk=' "
    "'sha256-FWrmegrOKVlcwU0wnJ8JP7I+RnpYO9eW4wRY9ZOpJLo='; style-src-attr 'unsafe-inline'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@routes.get("/api/docs")
async def page() -> Response:
    """The page."""
    return Response(
        _file("docs.html"), media_type="text/html; charset=utf-8", headers={"content-security-policy": _CSP}
    )


@routes.get("/api/docs/{name}")
async def file(request: Request, name: str) -> Response:
    """One of the files that the page is made of."""
    if name not in _TYPES:
        raise EndpointNotFound(method=request.method, path=request.scope["path"])
    return Response(_file(name), media_type=_TYPES[name], headers={"cache-control": "max-age=3600"})


@routes.get(DESCRIPTION)
async def description(request: Request) -> JSONResponse:
    """What the API takes and answers, as OpenAPI."""
    return JSONResponse(request.app.openapi())


@cache
def _file(name: str) -> bytes:
    return (_STATIC / name).read_bytes()
