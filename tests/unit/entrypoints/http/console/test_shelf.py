import pytest

from clavero.entrypoints.http.console.shelf import address, shelf


def test_everything_that_pages_load_is_shipped_and_small() -> None:
    assert {
        "console.css",
        "console.js",
        "signin.js",
        "htmx.min.js",
        "inter.woff2",
        "jetbrains-mono.woff2",
        "icons.svg",
    } <= set(shelf())
    assert sum(len(file.body) for file in shelf().values()) < 1_000_000


def test_what_was_made_elsewhere_has_its_licence_and_a_line() -> None:
    listed = shelf()["VENDORED.md"].body.decode()
    for name in ("htmx.min.js", "inter.woff2", "jetbrains-mono.woff2", "icons.svg"):
        assert f"`{name}`" in listed
    for name in ("htmx", "inter", "jetbrains-mono", "tabler-icons"):
        assert f"licences/{name}.txt" in listed
        assert len(shelf()[f"licences/{name}.txt"].body) > 300


def test_nothing_is_loaded_from_another_host() -> None:
    for name in ("console.css", "console.js", "signin.js"):
        text = shelf()[name].body.decode()
        assert "http://" not in text
        assert "https://" not in text


def test_an_address_changes_with_the_content() -> None:
    assert address("console.css") == f"/static/console.css?v={shelf()['console.css'].digest}"
    with pytest.raises(KeyError):
        address("../secret")


def test_the_fonts_of_the_style_are_addressed_like_those_of_the_page() -> None:
    style = shelf()["console.css"].body.decode()
    for name in ("inter.woff2", "jetbrains-mono.woff2"):
        assert f"url({name}?v={shelf()[name].digest})" in style
