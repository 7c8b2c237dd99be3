"""The same answers on PostgreSQL as on SQLite, where sums come as decimals and times as other types."""

import os
from pathlib import Path

import psycopg
from sqlalchemy import make_url
from tests.flow.entrypoints.http.admin.office import Office

from clavero.adapters.clock import SystemClock, SystemDice
from clavero.adapters.storage.books_postgres import PostgresBooks
from clavero.adapters.storage.lender_postgres import PostgresLender
from clavero.adapters.storage.store import postgres_store
from clavero.control.unseal import Tools, open_desk
from clavero.domain.ledger import Place
from clavero.domain.usage import Attempt, Exchange, Tokens
from clavero.ports.ledger import Books, Lender
from clavero.testing.unsealer import MemoryUnsealer


async def test_every_figure_is_told_on_a_server_too(postgres_url: str, tmp_path: Path) -> None:
    url = _fresh(postgres_url)
    clock = SystemClock()

    def ledger() -> tuple[Lender, Books]:
        return PostgresLender(url, Place("h", "k")), PostgresBooks(url, clock)

    store = postgres_store(url)
    await store.open()
    office = Office(await open_desk(Tools(store, clock, SystemDice()), MemoryUnsealer(os.urandom)), tmp_path, ledger)
    await office.open()
    try:
        await _everything(office)
    finally:
        await store.close()


async def _everything(office: Office) -> None:
    made = (await office.ask("POST", "/keys", 201, json={"name": "prod-mail-01", "owner": "asha", "limit": "$1/day"}))[
        "key"
    ]
    office.post(
        Exchange(
            "req_1", office.desk.clock.wall_ns(), key_id=made["kid"], service="mail", cost_n=7, tokens=Tokens(1, 2, 3, 4, 5),
            status=200, attempts=(Attempt("house", "m", 0, 1, 200),),
        )
    )  # fmt: skip
    report = await office.ask("GET", "/usage?by=key,day&since=1d")
    assert (report["total"]["calls"], report["total"]["cost_nano_usd"], report["equal"]) == (1, 7, True)
    assert report["rows"][0]["key"] == "prod-mail-01"
    assert (await office.ask("GET", "/requests/req_1"))["attempts"][0]["provider"] == "house"
    assert len((await office.ask("GET", "/requests?key=prod-mail-01"))["requests"]) == 1
    assert (await office.ask("GET", "/keys"))["keys"][0]["last_used_at"]
    assert (await office.ask("GET", "/keys/prod-mail-01"))["budgets"][0]["left_nano_usd"] == 10**9
    assert (await office.ask("GET", "/status"))["workers"][0]["worker"] == "w1"
    assert (await office.ask("GET", "/audit/verify"))["first_bad"] is None
    assert "clavero_ledger_posted_nano_usd" in (await office.stranger.get("/metrics")).text
    for method, path, body in (
        ("GET", "/keys/%00", None),
        ("GET", "/usage?by=service&since=1d&until=%00", None),
        ("GET", "/requests?service=%00", None),
        ("POST", "/teams", {"name": "a\x00b"}),
    ):
        assert (await office.refused(method, path, 422, json=body))["code"] == "invalid_value", path


def _fresh(url: str) -> str:
    with psycopg.connect(url, autocommit=True) as server:
        server.execute("DROP DATABASE IF EXISTS admin_api WITH (FORCE)")
        server.execute("CREATE DATABASE admin_api")
    return make_url(url).set(database="admin_api").render_as_string(hide_password=False)
