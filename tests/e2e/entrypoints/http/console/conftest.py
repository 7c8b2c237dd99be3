import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright
from tests.e2e.entrypoints.http.console.house import Served, served
from tests.e2e.entrypoints.http.console.reading import Reader

ARGS = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The console with a day of traffic."""
    with served(tmp_path_factory.mktemp("console")) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium; `apt-get install chromium` where it is missing."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        pytest.fail("no chromium here; fix: apt-get install chromium")
    with sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=found, args=ARGS)
        yield opened
        opened.close()


@pytest.fixture
def reader(browser: Browser, house: Served, request: pytest.FixtureRequest) -> Iterator[Reader]:
    """Signed in; nothing may have been complained of when the test is over."""
    options = getattr(request, "param", {})
    context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, "locale": "en-GB"} | options)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    made = Reader(context, house)
    made.sign_in()
    yield made
    context.close()
    assert not made.complaints
