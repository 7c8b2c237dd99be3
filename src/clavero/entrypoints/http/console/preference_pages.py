"""What a reader chooses for this browser: language, theme, keys. Cookies keep it, for the server writes the page."""

from starlette.responses import Response

from clavero.entrypoints.http.console.door import own_path, secure
from clavero.entrypoints.http.console.messages import LANGUAGES
from clavero.entrypoints.http.console.visit import KEYS_COOKIE, LANGUAGE_COOKIE, THEME_COOKIE, THEMES, Visit

_YEAR = 365 * 86_400


async def show(visit: Visit) -> Response:
    """The choices, and whose session this is."""
    until = visit.formats.moment(visit.session.expires_ns) if visit.session else ""
    return visit.page("preferences.html", until=until)


async def save(visit: Visit) -> Response:
    """Keep the choices that are among those there are."""
    response = visit.go("/preferences", "saved")
    _keep(visit, response, LANGUAGE_COOKIE, visit.form.get("language", ""), LANGUAGES)
    _keep(visit, response, THEME_COOKIE, visit.form.get("theme", ""), THEMES)
    _keep(visit, response, KEYS_COOKIE, visit.form.get("keys", ""), ("on", "off"))
    return response


async def switch_theme(visit: Visit) -> Response:
    """The other theme, and back to where the reader was."""
    response = visit.go(own_path(visit.form.get("back", "/")))
    _keep(visit, response, THEME_COOKIE, visit.form.get("theme", ""), THEMES)
    return response


def _keep(visit: Visit, response: Response, name: str, value: str, known: tuple[str, ...]) -> None:
    if value in known:
        response.set_cookie(name, value, _YEAR, path="/", secure=secure(visit.request), httponly=True, samesite="lax")
