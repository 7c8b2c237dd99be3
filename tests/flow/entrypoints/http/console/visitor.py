"""A browser without a screen: the real application on a real store, asked by HTTP, with the cookies of one person."""

import contextlib
import re
from collections.abc import AsyncIterator
from html import unescape
from pathlib import Path

import httpx2
from fastapi import FastAPI
from tests.e2e.entrypoints.http.console.house import GATEWAY, House, day

from clavero.domain.keys import Key
from clavero.entrypoints.http.console.mount import mount

HOME = "http://127.0.0.1:4142"


class Visitor:
    """Asks pages and sends forms as one of our pages would."""

    def __init__(self, house: House, app: FastAPI, address: str = "127.0.0.1") -> None:
        self.house = house
        self.app = app
        self.made: dict[str, Key] = {}
        self.csrf = ""
        transport = httpx2.ASGITransport(app, client=(address, 5000))
        self.client = httpx2.AsyncClient(transport=transport, base_url=HOME, headers={"accept-language": "en"})

    async def sign_in(self) -> None:
        """By a fresh link."""
        answer = await self.send("/sign-in", link=await self.house.link())
        assert answer.status_code == 303
        self.csrf = _csrf(await self.page("/preferences"))

    async def get(self, path: str, **headers: str) -> httpx2.Response:
        """One page as it comes."""
        return await self.client.get(path, headers=headers)

    async def page(self, path: str, status: int = 200) -> str:
        """The text of a page, entities read."""
        answer = await self.get(path)
        assert answer.status_code == status, answer.text
        return unescape(answer.text)

    async def send(self, path: str, **fields: str) -> httpx2.Response:
        """A form of ours."""
        return await self.client.post(path, data={"csrf": self.csrf} | fields, headers={"origin": HOME})


@contextlib.asynccontextmanager
async def open_visitor(folder: Path, *, furnished: bool = True) -> AsyncIterator[Visitor]:
    """A visitor who is signed in; the store is closed at the end."""
    house = House(folder)
    await house.open()
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    mount(app, house.desk, gateway_url=GATEWAY)
    visitor = Visitor(house, app)
    if furnished:
        visitor.made = await house.furnish()
        house.post(day(house, visitor.made)[-60:])
    await visitor.sign_in()
    try:
        yield visitor
    finally:
        await visitor.client.aclose()
        await house.store.close()


def words(page: str) -> str:
    """What a reader sees of a page: its text, one blank between words."""
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def _csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([0-9a-f]+)"', page)
    assert found
    return found[1]
