from tests.flow.entrypoints.http.console.visitor import Visitor


async def test_choices_are_kept_by_the_browser_and_written_by_the_server(newcomer: Visitor) -> None:
    answer = await newcomer.send("/preferences", language="es", theme="dark", keys="off")
    assert answer.headers["location"] == "/preferences?done=saved"
    page = await newcomer.page("/preferences?done=saved")
    assert '<html lang="es" data-theme="dark" data-keys="off">' in page
    assert "Guardado" in page


async def test_a_choice_that_is_none_changes_nothing(newcomer: Visitor) -> None:
    answer = await newcomer.send("/preferences", language="<x>", theme="pink", keys="maybe")
    assert "set-cookie" not in answer.headers
    newcomer.client.cookies.set("clavero_theme", '"><script>')
    assert 'data-theme="auto"' in await newcomer.page("/")


async def test_the_theme_switch_leads_back(newcomer: Visitor) -> None:
    answer = await newcomer.send("/preferences/theme", theme="dark", back="/keys?q=x")
    assert answer.headers["location"] == "/keys?q=x"
    answer = await newcomer.send("/preferences/theme", theme="dark", back="//evil.example")
    assert answer.headers["location"] == "/"


async def test_only_what_has_been_done_is_said(newcomer: Visitor) -> None:
    assert 'class="toast"' not in await newcomer.page("/?done=nonsense")
    assert 'class="toast"' in await newcomer.page("/?done=saved")


async def test_the_page_says_whose_session_it_is(newcomer: Visitor) -> None:
    page = await newcomer.page("/preferences")
    assert "owner" in page
    assert "127.0.0.1" in page
