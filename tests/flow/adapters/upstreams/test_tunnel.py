"""Calls that leave through a proxy: a real one, a real provider over TLS behind it, and everything that can go wrong."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.flow.adapters.upstreams.rig import ASK, Heard, Rig
from tests.pairs import make
from tests.proxy import Misdeed, Proxy, proxying

from clavero.adapters.upstreams.egress import Origin
from clavero.adapters.upstreams.pool import Pool
from clavero.adapters.upstreams.tunnel import greeting, via
from clavero.domain.calls import AddressRefused, CallFailed, ConnectFailed, ConnectionLost, ProxyFailed
from clavero.domain.proxies import Outward, read_bypass, read_proxy
from clavero.domain.secret import Secret
from clavero.ports.upstreams import Deadlines
from clavero.testing.faults import answer, reset, serve_faults

WORD = "Basic dXNlcjpwYXNz"  # user:pass


class Company:
    """A provider over TLS at `localhost`, which counts as private here, and the proxy that leads out."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        made = make(folder)
        self.rig = Rig()
        self.ca = made.cert
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(made.cert, made.key)
        self._monkeypatch = monkeypatch

    def outward(self, proxy: Proxy, user: str = "", bypass: str = "", scheme: str = "http") -> None:
        said = read_proxy(
            f"{scheme}://{user}localhost:{proxy.port}"
            if scheme == "https"
            else f"{scheme}://{user}127.0.0.1:{proxy.port}"
        )
        self.rig.pool = Pool(self.rig.ticker, outward=Outward(said, said, read_bypass(bypass)), extra_ca=self.ca)

    async def ask(self, origin: str, deadlines: Deadlines | None = None) -> Heard:
        self.rig.pool.allow(origin, "private")
        return await self.rig.send(origin, ASK, deadlines).end()


@pytest.fixture
async def company(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Company]:
    company = Company(tmp_path, monkeypatch)
    yield company
    await company.rig.pool.close()
    assert not company.rig.pool.connections
    assert not company.rig.pool._dialled


async def test_a_call_goes_through_the_proxy_and_nobody_on_the_way_reads_it(company: Company) -> None:
    async with serve_faults(answer(b'{"ok":1}'), tls=company.context) as server, proxying() as proxy:
        company.outward(proxy)
        heard = await company.ask(server.origin)
        assert (heard.status, heard.body) == (200, b'{"ok":1}')
        assert proxy.asked == [f"CONNECT localhost:{server.port}"]
        assert proxy.carried > 100
        assert b"chat/completions" not in proxy.seen
        assert ASK.body not in proxy.seen


async def test_a_tunnel_is_kept_for_the_next_call(company: Company) -> None:
    async with serve_faults(answer(b"{}"), tls=company.context) as server, proxying() as proxy:
        company.outward(proxy)
        for _ in range(3):
            assert (await company.ask(server.origin)).status == 200
        assert len(proxy.asked) == 1
        assert server.connections == 1


async def test_the_proxy_is_shown_its_password_and_the_provider_is_not(company: Company) -> None:
    async with serve_faults(answer(b"{}"), tls=company.context) as server, proxying(WORD) as proxy:
        company.outward(proxy, "user:pass@")
        assert (await company.ask(server.origin)).status == 200
        assert proxy.shown == [WORD]
        assert "proxy-authorization" not in server.asked[0].headers


async def test_a_proxy_over_tls_is_spoken_to_over_tls(company: Company) -> None:
    async with serve_faults(answer(b"{}"), tls=company.context) as server, proxying(WORD, tls=company.context) as proxy:
        company.outward(proxy, "user:pass@", scheme="https")
        heard = await company.ask(server.origin)
        assert heard.status == 200, heard.error
        assert proxy.shown == [WORD]


async def test_an_origin_in_the_clear_is_asked_for_by_its_whole_url(company: Company) -> None:
    async with serve_faults(answer(b"{}")) as server, proxying(WORD) as proxy:
        company.outward(proxy, "user:pass@")
        origin = f"http://localhost:{server.port}"
        assert (await company.ask(origin)).status == 200
        assert proxy.asked == [f"POST {origin}/v1/chat/completions"]
        assert server.asked[0].body == ASK.body
        assert "proxy-authorization" not in server.asked[0].headers


@pytest.mark.parametrize("bypass", ["*", "localhost", "other.example, localhost:{port}"])
async def test_who_is_in_no_proxy_is_called_straight(company: Company, bypass: str) -> None:
    async with serve_faults(answer(b"{}"), tls=company.context) as server, proxying() as proxy:
        company.outward(proxy, bypass=bypass.format(port=server.port))
        heard = await company.ask(server.origin)  # straight: and so its address is checked, which is not private
        assert isinstance(heard.error, AddressRefused)
        assert not proxy.asked


async def test_a_provider_on_this_machine_is_never_called_through_a_proxy(company: Company) -> None:
    async with serve_faults(answer(b"{}"), tls=company.context) as server, proxying() as proxy:
        company.outward(proxy)
        company.rig.pool.allow(server.origin, "loopback")
        assert (await company.rig.send(server.origin).end()).status == 200
        assert not proxy.asked


async def test_a_provider_whose_network_changes_changes_its_way(company: Company) -> None:
    async with serve_faults(answer(b"{}"), tls=company.context) as server, proxying() as proxy:
        company.outward(proxy)
        assert (await company.ask(server.origin)).status == 200
        company.rig.pool.allow(server.origin, "loopback")
        assert (await company.rig.send(server.origin).end()).status == 200
        assert (len(proxy.asked), server.connections) == (1, 2)


async def test_a_wrong_password_is_the_proxys_word_and_nothing_was_sent(company: Company) -> None:
    async with serve_faults(answer(b"{}"), tls=company.context) as server, proxying(WORD) as proxy:
        company.outward(proxy, "user:wrong@")
        heard = await company.ask(server.origin)
        assert isinstance(heard.error, ProxyFailed)
        assert str(heard.error) == "it answered 407 Proxy Authentication Required"
        assert not heard.error.sent
        assert not server.connections


async def test_a_provider_that_the_proxy_cannot_reach_is_the_proxys_word_too(company: Company) -> None:
    async with proxying() as proxy:
        company.outward(proxy)
        heard = await company.ask("https://localhost:1")
        assert str(heard.error) == "it answered 502 Bad Gateway"


async def test_a_proxy_that_is_away_is_told_apart_from_the_provider(company: Company) -> None:
    async with proxying() as proxy:
        company.outward(proxy)
    heard = await company.ask("https://localhost:1")
    assert isinstance(heard.error, ProxyFailed)
    assert "cannot be reached" in str(heard.error)


async def test_a_proxy_whose_name_leads_nowhere_is_told_apart_too(company: Company) -> None:
    said = read_proxy("http://proxy.invalid:3128")
    company.rig.pool = Pool(company.rig.ticker, outward=Outward(said, said))
    heard = await company.ask("https://api.example.com:443")
    assert isinstance(heard.error, ProxyFailed)
    assert "proxy.invalid" in str(heard.error)


@pytest.mark.parametrize(
    "host", ["169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "0.0.0.0", "[::ffff:169.254.169.254]"]
)
async def test_a_proxy_at_an_address_that_is_never_called_is_not_called(company: Company, host: str) -> None:
    said = read_proxy(f"http://{host}:80")
    company.rig.pool = Pool(company.rig.ticker, outward=Outward(said, said))
    heard = await company.ask("https://api.example.com:443")
    assert isinstance(heard.error, ProxyFailed)
    assert "never called" in str(heard.error)


async def test_an_address_that_is_never_called_is_not_asked_of_a_proxy_either(company: Company) -> None:
    async with proxying() as proxy:
        company.outward(proxy)
        heard = await company.ask("https://169.254.169.254:443")
        assert isinstance(heard.error, AddressRefused)
        assert not proxy.asked


async def test_the_providers_certificate_is_checked_through_the_tunnel(company: Company) -> None:
    async with serve_faults(answer(b"{}"), tls=company.context) as server, proxying() as proxy:
        said = read_proxy(f"http://127.0.0.1:{proxy.port}")
        company.rig.pool = Pool(company.rig.ticker, outward=Outward(said))  # which does not know its authority
        heard = await company.ask(server.origin)
        assert isinstance(heard.error, ConnectFailed)
        assert not isinstance(heard.error, ProxyFailed)
        assert "certificate is not trusted" in str(heard.error)
        assert not server.asked


async def test_what_goes_wrong_behind_the_proxy_is_the_providers(company: Company) -> None:
    async with serve_faults(reset(), tls=company.context) as server, proxying() as proxy:
        company.outward(proxy)
        heard = await company.ask(server.origin)
        assert isinstance(heard.error, ConnectionLost)


def says(data: bytes, *, ends: bool = True) -> Misdeed:
    async def misdeed(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        with contextlib.suppress(OSError):
            await writer.drain()
            if not ends:
                await asyncio.sleep(30)

    return misdeed


@pytest.mark.parametrize(
    ("misdeed", "why"),
    [
        (says(b""), "ended"),
        (says(b"SSH-2.0-x\r\n\r\n"), "HTTP"),
        (says(b"HTTP/1.1 200 OK\r\n"), "ended"),
        (says(b"HTTP/1.1 200 OK\r\n\r\nhello"), "spoke before"),
        (says(b"HTTP/1.1 200 OK\r\nx: " + b"x" * 20_000), "without an end"),
        (says(b"HTTP/1.1 302 Found\r\nlocation: http://169.254.169.254/\r\n\r\n"), "302"),
        (says(b"HTTP/1.1 100 Continue\r\n\r\n"), "100"),
    ],
    ids=["silence", "another protocol", "half", "too much", "no end", "elsewhere", "interim"],
)  # fmt: skip
async def test_a_proxy_that_misbehaves_is_not_followed(company: Company, misdeed: Misdeed, why: str) -> None:
    async with proxying(misdeed=misdeed) as proxy:
        company.outward(proxy)
        heard = await company.ask("https://localhost:1")
        assert isinstance(heard.error, ProxyFailed)
        assert why in str(heard.error)
        assert len(proxy.asked) == 1


async def test_a_proxy_that_keeps_silent_has_as_long_as_any_connection(company: Company) -> None:
    async with proxying(misdeed=says(b"", ends=False)) as proxy:
        company.outward(proxy)
        company.rig.pool.allow("https://localhost:1", "private")
        heard = company.rig.send("https://localhost:1")
        async with asyncio.timeout(5):
            while not proxy.asked:  # noqa: ASYNC110 - it is on its way
                await asyncio.sleep(0.01)
        company.rig.pass_time(6)
        await heard.end()
        assert isinstance(heard.error, CallFailed)
        assert "no connection" in str(heard.error)


async def test_who_leaves_while_a_tunnel_is_dug_leaves_nothing_behind(company: Company) -> None:
    async with proxying(misdeed=says(b"", ends=False)) as proxy:
        company.outward(proxy)
        company.rig.pool.allow("https://localhost:1", "private")
        heard = company.rig.send("https://localhost:1")
        async with asyncio.timeout(5):
            while not proxy.asked:  # noqa: ASYNC110 - it is on its way
                await asyncio.sleep(0.01)
        assert heard.line is not None
        heard.line.abort()
        await asyncio.sleep(0.05)
        assert not company.rig.pool._dialled
        assert not heard.order


async def test_a_tunnel_that_ended_is_dug_again_without_a_word(company: Company) -> None:
    async with serve_faults(answer(b"{}"), tls=company.context) as server, proxying() as proxy:
        company.outward(proxy)
        assert (await company.ask(server.origin)).status == 200
        await proxy.end()
        await asyncio.sleep(0.05)
        assert (await company.ask(server.origin)).status == 200
        assert len(proxy.asked) == 2


def test_a_tunnel_is_asked_for_as_the_rfc_says() -> None:
    assert greeting(Origin(tls=True, host="2001:db8::1", port=443), None) == (
        b"CONNECT [2001:db8::1]:443 HTTP/1.1\r\nhost: [2001:db8::1]:443\r\n\r\n"
    )
    said = greeting(Origin(tls=True, host="api.example.com", port=443), Secret(WORD))
    assert said.endswith(f"\r\nproxy-authorization: {WORD}\r\n\r\n".encode())


def test_no_proxy_is_no_way() -> None:
    assert via(None) is None
    way = via(read_proxy("http://user:pass@proxy.example:3128"))
    assert way is not None
    assert way.name == "proxy.example:3128"
    assert "pass" not in repr(way)
