"""What every page passes on its way: headers, peers, origins, sessions, forms, refusals."""

import httpx2
import pytest
from tests.flow.entrypoints.http.console.visitor import HOME, Visitor, words

PAGES = [
    "/", "/?chart=requests", "/keys", "/keys/new", "/keys/prod-support-chat-01", "/keys/prod-support-chat-01/rotate",
    "/keys/prod-support-chat-01/disable", "/keys/prod-support-chat-01/revoke", "/keys/prod-support-chat-01/revoke?part=1",
    "/requests", "/requests/req_failed000000000000001", "/preferences", "/find?q=zzz", "/keys/new/name?name=x", "/sign-in",
]  # fmt: skip
FORMS = [
    "/keys", "/keys/new/able", "/keys/prod-support-chat-01/budget", "/keys/prod-support-chat-01/enable",
    "/keys/prod-support-chat-01/revoke", "/preferences", "/preferences/theme", "/sign-out",
]  # fmt: skip


async def test_every_page_keeps_the_rules_of_its_headers(visitor: Visitor) -> None:
    for path in PAGES:
        answer = await visitor.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "same-origin"
        assert not any(mark in answer.text for mark in ("style=", "<style", "onclick=", "javascript:", "http://www.w3"))


@pytest.mark.parametrize("language", ["en", "es"])
async def test_every_page_is_in_the_language_that_was_chosen(visitor: Visitor, language: str) -> None:
    await visitor.send("/preferences", language=language, theme="dark", keys="off")
    for path in PAGES[:-2]:
        answer = await visitor.client.get(path, follow_redirects=True)
        if "part=1" not in path and "/name" not in path:
            assert f'<html lang="{language}" data-theme="dark" data-keys="off">' in answer.text
        assert answer.status_code == 200


async def test_a_stranger_is_led_to_the_door_and_back(visitor: Visitor) -> None:
    visitor.client.cookies.clear()
    for path in ("/keys", "/requests?status=429"):
        answer = await visitor.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in?next=%2F")
    answer = await visitor.send("/keys/prod-support-chat-01/revoke", typed="prod-support-chat-01", reason="x")
    assert answer.headers["location"] == "/sign-in"


@pytest.mark.parametrize("path", FORMS)
async def test_a_form_of_another_page_changes_nothing(visitor: Visitor, path: str) -> None:
    fields = {"csrf": visitor.csrf, "name": "prod-x-01", "owner": "x", "typed": "prod-support-chat-01", "reason": "x"}
    for headers in ({"origin": "http://evil.example"}, {"origin": "null"}, {}):
        answer = await visitor.client.post(path, data=fields, headers=headers)
        assert answer.status_code == 403
    answer = await visitor.client.post(path, data=fields | {"csrf": "0" * 48}, headers={"origin": HOME})
    assert answer.status_code == 403
    assert "Active" in words(await visitor.page("/keys/prod-support-chat-01"))
    await visitor.page("/keys/prod-x-01", 404)


async def test_without_tls_no_other_machine_and_no_other_name_is_served(visitor: Visitor) -> None:
    elsewhere = Visitor(visitor.house, visitor.app, "10.0.0.7")
    async with elsewhere.client:
        answer = await elsewhere.get("/sign-in")
        assert answer.status_code == 403
        assert "this machine alone" in answer.text
    assert (await visitor.get("/", host="evil.example:4142")).status_code == 403


async def test_what_is_not_there_says_so_with_the_nearest_name(visitor: Visitor) -> None:
    page = words(await visitor.page("/keys/prod-support-chat-1", 404))
    assert "There is no key prod-support-chat-1." in page
    assert "Try prod-support-chat-01" in page
    await visitor.page("/requests/req_nothing", 404)
    await visitor.page("/keys/prod-support-chat-01/explode", 404)


async def test_a_refusal_in_spanish_is_in_spanish(visitor: Visitor) -> None:
    answer = await visitor.get("/keys/prod-nada-01", **{"accept-language": "es-MX,es;q=0.9"})
    assert "Aquí no hay nada." in answer.text
    assert "There is" not in answer.text


async def test_a_form_that_is_too_large_is_refused(visitor: Visitor) -> None:
    assert (await visitor.send("/keys", name="x" * 70_000)).status_code == 403


@pytest.mark.parametrize("path", ["/static/../door.py", "/static/%2e%2e/door.py", "/static/nothing.css", "/static/"])
async def test_only_shipped_files_are_served(visitor: Visitor, path: str) -> None:
    assert (await visitor.get(path)).status_code == 404


async def test_a_file_is_kept_for_ever_only_under_its_own_digest(visitor: Visitor) -> None:
    page = await visitor.page("/sign-in")
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]
    assert "immutable" in (await visitor.get(address)).headers["cache-control"]
    for other in ("/static/console.css", "/static/console.css?v=000000000000"):
        assert (await visitor.get(other)).headers["cache-control"] == "no-cache"


@pytest.mark.requirement(12)
async def test_no_page_but_the_one_shows_a_secret(visitor: Visitor) -> None:
    answer: httpx2.Response = await visitor.send("/keys", name="prod-once-only-01", owner="asha")
    secret = answer.text.split('id="secret"')[1].split(">")[1].split("<")[0]
    assert secret.startswith("clvk_prod_")
    for path in (*PAGES, "/keys/prod-once-only-01"):
        assert secret[-49:] not in (await visitor.get(path)).text
