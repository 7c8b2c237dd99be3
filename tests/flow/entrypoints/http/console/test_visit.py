import pytest
from starlette.requests import Request
from tests.flow.entrypoints.http.console.visitor import Visitor

from clavero.control.signin import create_link
from clavero.entrypoints.http.console.door import Door
from clavero.entrypoints.http.console.visit import Console, Visit, language_for, theme_for
from clavero.entrypoints.http.tail import Tail


def asked(**headers: str) -> Request:
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "query_string": b"q=%20x%20",
        "headers": raw,
        "path_params": {"name": "n"},
    }
    return Request(scope)


@pytest.mark.parametrize(
    ("headers", "language"),
    [
        ({}, "en"), ({"accept_language": "es-AR,es;q=0.9,en;q=0.8"}, "es"), ({"accept_language": "fr"}, "en"),
        ({"accept_language": "es", "cookie": "clavero_language=en"}, "en"),
        ({"accept_language": "es", "cookie": "clavero_language=xx"}, "es"),
    ],
)  # fmt: skip
def test_what_was_chosen_goes_before_what_the_browser_prefers(headers: dict[str, str], language: str) -> None:
    assert language_for(asked(**headers)) == language


def test_a_theme_is_one_of_three() -> None:
    assert theme_for(asked(cookie="clavero_theme=dark")) == "dark"
    assert theme_for(asked(cookie="clavero_theme=pink")) == theme_for(asked()) == "auto"


async def test_before_the_door_nothing_can_be_changed(newcomer: Visitor) -> None:
    desk = newcomer.house.desk
    visit = Visit(Console(desk, Door(desk), "http://127.0.0.1:4141", Tail(desk.clock)), asked())
    assert (visit.asked("q"), visit.asked("none"), visit.named("name")) == ("x", "", "n")
    with pytest.raises(RuntimeError):
        await visit.do(create_link)
    assert visit.go("/keys", "saved").headers["location"] == "/keys?done=saved"
