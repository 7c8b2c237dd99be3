"""One person at a real browser."""

from playwright.sync_api import BrowserContext, Page
from tests.e2e.entrypoints.http.console.house import Served


class Reader:
    """One person at a browser; everything that the pages complain of is kept."""

    def __init__(self, context: BrowserContext, house: Served) -> None:
        self.house = house
        self.complaints: list[str] = []
        self.page: Page = context.new_page()
        self.page.on("console", lambda said: self._keep(said.type, said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", self._own)

    def _keep(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and "the server responded with a status of 4" not in text:
            self.complaints.append(f"{kind}: {text}")

    def _own(self, request: object) -> None:
        url = str(getattr(request, "url", ""))
        if not url.startswith(self.house.url):
            self.complaints.append(f"asked another host: {url}")

    def sign_in(self) -> None:
        self.page.goto(self.house.link())
        self.page.wait_for_url(f"{self.house.url}/")

    def open(self, path: str) -> None:
        """Go to a page and wait until its links are taken over, which is a task after the page has loaded."""
        self.page.goto(f"{self.house.url}{path}")
        self.page.wait_for_function(
            "![...document.querySelectorAll('[data-hx-get], [data-hx-post]')].some(e => !e._htmx)"
        )
