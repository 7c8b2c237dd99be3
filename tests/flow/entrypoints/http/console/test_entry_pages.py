from tests.flow.entrypoints.http.console.visitor import Visitor, words

from clavero.control.signin import LINK_NS, SESSION_NS
from clavero.domain.access import Session
from clavero.domain.audit import AuditRow


async def test_a_link_works_once(newcomer: Visitor) -> None:
    link = await newcomer.house.link()
    newcomer.client.cookies.clear()
    first = await newcomer.send("/sign-in", link=link, next="/keys")
    assert (first.status_code, first.headers["location"]) == (303, "/keys")
    second = await newcomer.send("/sign-in", link=link)
    assert second.status_code == 401
    assert "clavero open" in second.text


async def test_the_cookie_is_for_this_host_alone_and_out_of_reach_of_scripts(newcomer: Visitor) -> None:
    answer = await newcomer.send("/sign-in", link=await newcomer.house.link())
    cookie = answer.headers["set-cookie"].lower()
    assert cookie.startswith("clavero=clvb_")
    assert {"httponly", "samesite=strict", "path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "domain" not in cookie


async def test_an_old_link_a_cut_one_and_garbage_are_told_alike(newcomer: Visitor) -> None:
    house = newcomer.house
    house.clock.shift_ns = LINK_NS + 1
    old = await house.link()
    house.clock.shift_ns = 0
    told = set()
    for link in (old, old[:-1], "clvb_", "", "x" * 5000, "<script>"):
        answer = await newcomer.send("/sign-in", link=link)
        assert answer.status_code == 401
        assert link[-20:] not in answer.text or not link
        told.add(words(answer.text))
    assert len(told) == 1


async def test_signing_in_never_leads_elsewhere(newcomer: Visitor) -> None:
    answer = await newcomer.send("/sign-in", link=await newcomer.house.link(), next="//evil.example")
    assert answer.headers["location"] == "/"


async def test_signing_out_ends_the_session_here_and_in_the_browser(newcomer: Visitor) -> None:
    cookie = newcomer.client.cookies["clavero"]
    answer = await newcomer.send("/sign-out")
    assert answer.headers["location"] == "/sign-in"
    assert 'clavero=""' in answer.headers["set-cookie"]
    newcomer.client.cookies.set("clavero", cookie)
    assert (await newcomer.get("/")).status_code == 303


async def test_a_session_ends_by_itself(newcomer: Visitor) -> None:
    newcomer.house.clock.shift_ns = -SESSION_NS - 1
    assert (await newcomer.get("/")).status_code == 303


async def test_signing_in_is_audited_without_its_secret(newcomer: Visitor) -> None:
    async with newcomer.house.store.read() as look:
        rows = [row for row in await look.find(AuditRow) if row.action == "session.start"]
        sessions = await look.find(Session)
    assert rows[-1].address == "127.0.0.1"
    assert sessions[-1].digest
    assert newcomer.client.cookies["clavero"] not in str(rows) + str(sessions)


async def test_the_door_says_how_to_come_in(newcomer: Visitor) -> None:
    page = await newcomer.page("/sign-in?next=/keys")
    assert "clavero open" in page
    assert 'name="next" value="/keys"' in page
