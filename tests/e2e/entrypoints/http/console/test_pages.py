"""The console in a real browser: what a person does, with no violation of the policy and no error said by the page."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect
from tests.e2e.entrypoints.http.console.house import Served
from tests.e2e.entrypoints.http.console.reading import Reader

pytestmark = pytest.mark.browser

PAGES = [
    "/", "/?chart=requests", "/keys", "/keys/new", "/keys/prod-support-summary-01", "/keys/prod-support-chat-01/revoke",
    "/requests", "/requests/req_failed000000000000001", "/preferences",
]  # fmt: skip


def test_a_link_signs_in_once_and_leaves_no_token_in_the_address(reader: Reader) -> None:
    page = reader.page
    link = reader.house.link()
    page.goto(link)
    page.wait_for_url(f"{reader.house.url}/")
    assert "clvb_" not in page.url
    page.goto(f"{reader.house.url}/sign-in")
    page.goto(link)  # only the fragment changes
    expect(page.get_by_role("heading", name="This link does not work")).to_be_visible()
    assert "clvb_" not in page.url
    assert "clvb_" not in page.evaluate("JSON.stringify([location.href, document.body.innerText])")
    assert page.evaluate("document.cookie") == ""


@pytest.mark.parametrize(
    "reader",
    [
        {"viewport": {"width": 400, "height": 860}, "locale": "es-ES", "color_scheme": "dark"},
        {"viewport": {"width": 320, "height": 700}, "locale": "es-ES"},
        {"viewport": {"width": 900, "height": 700}, "locale": "es-ES"},
        {},
    ],
    indirect=True,
    ids=["phone", "narrow", "tablet", "desk"],
)
def test_no_page_scrolls_sideways_and_none_complains(reader: Reader) -> None:
    for path in PAGES:
        reader.open(path)
        wider = reader.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, path
        assert reader.page.locator("main").inner_text().strip()


def test_a_key_is_created_and_its_secret_is_seen_once(reader: Reader) -> None:
    page = reader.page
    reader.open("/keys")
    page.keyboard.press("c")
    page.wait_for_url("**/keys/new")
    page.get_by_label("Name", exact=True).press_sequentially("prod browser made")
    page.get_by_role("button", name="Use prod-browser-made-01").click()
    expect(page.locator("#name-rule")).to_contain_text("is free")
    page.get_by_label("Owner").fill("asha")
    page.get_by_label("Budget, USD").fill("80")
    expect(page.locator("#able-list")).to_contain_text("80.00 USD")
    page.get_by_role("button", name="Create key").click()
    secret = page.locator("#secret").inner_text()
    assert re.fullmatch(r"clvk_prod_[0-9A-Za-z]{12}_[0-9A-Za-z]{49}", secret)
    page.get_by_role("tab", name="Python").click()
    page.get_by_role("button", name="Copy with the key").locator("visible=true").click()
    expect(page.locator("#toasts")).to_contain_text("Copied")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert secret in copied
    assert "OpenAI(" in copied
    done = page.get_by_role("button", name="Done")
    expect(done).to_be_disabled()
    page.get_by_label("I stored it").check()
    done.click()
    page.wait_for_url(re.compile(r"/keys/prod-browser-made-01\??$"))
    page.go_back()
    assert secret not in page.content()
    assert secret[-49:] not in page.content()


def test_rotating_by_key_shows_the_next_secret_and_both_versions_work(reader: Reader) -> None:
    page = reader.page
    reader.open("/keys/prod-rag-search-02")
    page.keyboard.press("r")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("heading", name="Rotate prod-rag-search-02")).to_be_visible()
    dialog.get_by_label("Grace").select_option("7d")
    dialog.get_by_role("button", name="Rotate").click()
    expect(page.locator("#secret")).to_contain_text("clvk_prod_")
    page.reload()  # asks for the key's page, not for another rotation
    page.wait_for_url("**/keys/prod-rag-search-02")
    expect(page.locator("main")).to_contain_text("Rotating")
    assert page.locator("#versions ~ * >> text=/^v[0-9]$/").count() in {0, 2}
    expect(page.locator("svg.lifeline")).to_have_attribute("aria-label", re.compile("2 versions"))


def test_the_red_button_opens_when_the_name_is_typed(reader: Reader) -> None:
    page = reader.page
    reader.open("/keys/prod-support-chat-01")
    page.get_by_role("link", name="Revoke…").click()
    dialog = page.get_by_role("dialog")
    red = dialog.get_by_role("button", name="Revoke for ever")
    expect(dialog).to_contain_text("calls in the last hour")
    expect(red).to_be_disabled()
    dialog.get_by_label("Reason").fill("found in a commit")
    typed = dialog.get_by_label(re.compile("to confirm"))
    typed.fill("prod-support-chat-0")
    expect(red).to_be_disabled()
    typed.fill("prod-support-chat-01")
    expect(red).to_be_enabled()
    red.click()
    expect(page.locator("#toasts")).to_contain_text("Key revoked")
    expect(page.locator("main")).to_contain_text("found in a commit")
    expect(page.get_by_role("link", name="Rotate")).to_have_count(0)
    assert "done=" not in page.url


def test_requests_are_filtered_and_one_is_opened_beside_them(reader: Reader) -> None:
    page = reader.page
    reader.open("/requests")
    page.get_by_label("Answer").select_option("502")
    page.wait_for_url("**/requests?*status=502*")
    rows = page.locator("tbody tr.go")
    expect(rows).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/requests/req_failed000000000000001?*")
    expect(page.locator("#exchange svg.waterfall")).to_be_visible()
    expect(page.locator("#exchange")).to_contain_text("upstream_error")


def test_keys_lead_everywhere_and_can_be_switched_off(reader: Reader) -> None:
    page = reader.page
    page.keyboard.press("g")
    page.keyboard.press("k")
    page.wait_for_url("**/keys")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("rotate the key")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("prod-growth-outreach-01")
    page.keyboard.press("Enter")
    page.wait_for_url("**/keys/prod-growth-outreach-01")
    page.keyboard.press("t")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.url.endswith("/keys/prod-growth-outreach-01")
    reader.open("/preferences")
    page.locator("#shortcuts-on").select_option("off")
    page.get_by_label("Language").select_option("es")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("h1")).to_have_text("Preferencias")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_pages_work_without_a_script(browser: Browser, house: Served) -> None:
    context = browser.new_context(java_script_enabled=True)
    Reader(context, house).sign_in()
    cookies = context.cookies()
    context.close()
    plain = browser.new_context(java_script_enabled=False)
    plain.add_cookies(cookies)  # type: ignore[arg-type]  # what it gave
    page = plain.new_page()
    page.goto(f"{house.url}/keys/staging-docs-helper-01")
    page.get_by_role("link", name="Disable").click()
    page.get_by_label("Reason").fill("no script")
    page.get_by_role("button", name="Disable").click()
    expect(page.locator("main")).to_contain_text("no script")
    plain.close()


def test_every_text_can_be_told_from_its_ground(reader: Reader) -> None:
    """The two figures that the tokens promise, as the browser computes them: text at least 4.5 to 1."""
    ratios = (Path(__file__).parent / "contrast.js").read_text("utf-8")
    for theme in ("light", "dark"):
        reader.page.context.add_cookies([{"name": "clavero_theme", "value": theme, "url": reader.house.url}])
        for path in ("/", "/keys", "/requests/req_failed000000000000001", "/keys/prod-growth-outreach-01"):
            reader.open(path)
            poor = reader.page.evaluate(ratios)
            assert not poor, f"{theme} {path}: {poor}"
