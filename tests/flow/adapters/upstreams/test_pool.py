"""Who is called, over which connection, and what happens when there is none."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme
from tests.flow.adapters.upstreams.rig import Rig, until

from clavero.adapters.upstreams.pool import trust
from clavero.domain.calls import AddressRefused, ConnectFailed, ConnectionLost, Unsendable
from clavero.ports.upstreams import Outgoing
from clavero.testing.faults import (
    Turn,
    answer,
    hang_up,
    head,
    no_length,
    raw,
    reset,
    serve_faults,
    silence,
    stall,
    stream,
)


async def test_calls_one_after_the_other_share_a_connection_and_calls_at_once_do_not(rig: Rig) -> None:
    async with serve_faults(answer(b"{}")) as server:
        for _ in range(5):
            await rig.ask(server)
        assert server.connections == 1
        await asyncio.gather(*(rig.ask(server) for _ in range(4)))
        assert server.connections == 4
        await asyncio.gather(*(rig.ask(server) for _ in range(4)))
        assert server.connections == 4


async def test_no_more_idle_connections_are_kept_than_wanted() -> None:
    rig = Rig(idle_most=1)
    async with serve_faults(answer(b"{}")) as server:
        await asyncio.gather(*(rig.ask(server) for _ in range(4)))
        await until(lambda: len(rig.pool.connections) == 1)
        assert len(rig.pool.connections) == 1
        await rig.pool.close()


async def test_an_idle_connection_is_closed_after_its_time(rig: Rig) -> None:
    async with serve_faults(answer(b"{}")) as server:
        await rig.ask(server)
        rig.pass_time(29)
        await asyncio.sleep(0.02)
        assert rig.pool.connections
        rig.pass_time(1.1)
        await until(lambda: not rig.pool.connections)
        assert not rig.pool.connections


@pytest.mark.parametrize("loss", [reset(), hang_up()], ids=["reset", "hang-up"])
async def test_a_kept_connection_lost_before_the_first_byte_is_made_good_once_on_a_fresh_one(
    rig: Rig, loss: object
) -> None:
    assert callable(loss)
    async with serve_faults(answer(b"1"), loss, answer(b"2")) as server:
        await rig.ask(server)
        heard = await rig.ask(server)
        assert heard.error is None
        assert heard.body == b"2"
        assert (server.connections, len(server.asked)) == (2, 3)


async def test_a_second_loss_and_a_loss_on_a_fresh_connection_are_failures(rig: Rig) -> None:
    async with serve_faults(answer(b"1"), reset(), reset(), answer(b"2")) as server:
        await rig.ask(server)
        heard = await rig.ask(server)
        assert isinstance(heard.error, ConnectionLost)
        assert heard.error.sent
        assert len(server.asked) == 3


async def test_a_loss_after_the_first_byte_on_a_kept_connection_is_never_made_good(rig: Rig) -> None:
    async with serve_faults(answer(b"1"), raw(b"H"), answer(b"2")) as server:
        await rig.ask(server)
        heard = await rig.ask(server)
        assert isinstance(heard.error, ConnectionLost)
        assert len(server.asked) == 2


async def test_a_kept_connection_that_the_provider_closed_is_not_used(rig: Rig) -> None:
    async with serve_faults(raw(b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\n\r\na"), answer(b"2")) as server:
        await rig.ask(server)
        await until(lambda: not rig.pool.connections)
        assert (await rig.ask(server)).body == b"2"
        assert len(server.asked) == 2


async def test_an_origin_that_was_not_allowed_is_not_called_and_the_taker_hears_it_later(rig: Rig) -> None:
    async with serve_faults(answer(b"{}")) as server:
        heard = rig.send(server.origin)
        assert not heard.over.is_set()
        await heard.end()
        assert isinstance(heard.error, AddressRefused)
        assert (server.connections, heard.error.sent) == (0, False)


async def test_an_address_outside_its_network_class_is_not_connected_to(rig: Rig) -> None:
    async with serve_faults(answer(b"{}")) as server:
        for network in ("public", "private"):
            for origin in (server.origin, f"http://localhost:{server.port}"):
                rig.pool.allow(origin, network)
                heard = await rig.ask(origin)
                assert isinstance(heard.error, AddressRefused)
        assert server.connections == 0


async def test_a_changed_network_class_counts_for_the_next_call(rig: Rig) -> None:
    async with serve_faults(answer(b"{}")) as server:
        await rig.ask(server)
        rig.pool.allow(server.origin, "public")
        assert isinstance((await rig.ask(server.origin)).error, AddressRefused)
        assert server.connections == 1


@pytest.mark.parametrize(("origin", "network"), [("https://a/b", "public"), ("ftp://a", "public"), ("http://a", "any")])
async def test_what_is_no_origin_or_class_cannot_be_allowed(rig: Rig, origin: str, network: str) -> None:
    with pytest.raises(ValueError):
        rig.pool.allow(origin, network)


async def test_a_redirect_is_an_answer_and_is_not_followed(rig: Rig) -> None:
    async with serve_faults(answer(b"", 307, [("location", "http://169.254.169.254/")])) as server:
        heard = await rig.ask(server)
        assert heard.status == 307
        assert len(server.asked) == 1


async def test_a_refused_connection_is_a_failure_with_nothing_sent(rig: Rig) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{taken.getsockname()[1]}"
        rig.pool.allow(origin, "loopback")
        heard = await rig.ask(origin)
    assert isinstance(heard.error, ConnectFailed)
    assert not heard.error.sent


async def test_the_next_address_is_tried_when_one_does_not_answer(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    async with serve_faults(answer(b"{}")) as server:

        async def both(origin: object, network: object) -> list[str]:
            return ["127.0.0.2", "127.0.0.1"]

        monkeypatch.setattr(rig.pool._resolver, "addresses", both)
        heard = await rig.ask(server)
        assert heard.body == b"{}"


async def test_a_connection_that_does_not_come_about_in_time_is_a_failure(rig: Rig) -> None:
    # TLS towards a server that never answers the handshake.
    async with serve_faults(silence()) as server:
        origin = f"https://127.0.0.1:{server.port}"
        rig.pool.allow(origin, "loopback")
        heard = rig.send(origin)
        await until(lambda: server.connections)
        rig.pass_time(4.9)
        assert not heard.over.is_set()
        rig.pass_time(0.2)
        assert isinstance(heard.error, ConnectFailed)
        assert str(heard.error) == "no connection within 5 s"
        await asyncio.sleep(0.02)
        assert not rig.pool.connections


async def test_an_abort_while_connecting_leaves_nothing(rig: Rig) -> None:
    async with serve_faults(answer(b"{}")) as server:
        heard = rig.send(server)
        assert heard.line is not None
        heard.line.abort()
        await asyncio.sleep(0.05)
        assert heard.order == []
        assert not rig.pool.connections
        assert not server.asked


async def test_what_http_cannot_carry_is_a_failure_and_not_an_exception(rig: Rig) -> None:
    async with serve_faults(answer(b"{}")) as server:
        heard = await rig.ask(server, Outgoing("POST", "/", (("authorization", "a\r\nb: c"),), b""))
        assert isinstance(heard.error, Unsendable)
        assert server.connections == 0


async def test_a_close_fails_what_is_under_way_and_what_comes_after(rig: Rig) -> None:
    async with serve_faults(stall(b"a")) as server:
        running = rig.send(server)
        await running.something()
        dialling = rig.send(server)
        await rig.pool.close()
        assert isinstance(running.error, ConnectionLost)
        assert isinstance(dialling.error, ConnectFailed)
        assert isinstance((await rig.ask(server)).error, ConnectFailed)
        assert not rig.pool.connections


async def test_a_large_body_arrives_whole(rig: Rig) -> None:
    async with serve_faults(answer(b"{}")) as server:
        body = bytes(range(256)) * 8192
        assert (await rig.ask(server, Outgoing("POST", "/", (), body))).status == 200
        assert server.asked[0].body == body


class Authority:
    """A certificate authority that nobody knows but the file it is in."""

    def __init__(self, directory: Path) -> None:
        self.ca = trustme.CA()
        self.file = directory / "ca.pem"
        self.ca.cert_pem.write_to_path(self.file)

    def context(self, *names: str) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.ca.issue_cert(*names).configure_cert(context)
        return context


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
async def trusting(authority: Authority) -> AsyncIterator[Rig]:
    rig = Rig(authority.file)
    yield rig
    await rig.pool.close()
    assert not rig.pool.connections


async def test_tls_is_spoken_with_the_name_that_was_asked_and_connections_are_kept(
    trusting: Rig, authority: Authority
) -> None:
    context = authority.context("localhost")
    names: list[str | None] = []
    context.sni_callback = lambda _, name, __: names.append(name)
    async with serve_faults(answer(b"{}"), tls=context) as server:
        for _ in range(3):
            assert (await trusting.ask(server)).body == b"{}"
        assert server.connections == 1
        assert server.asked[0].headers["host"] == f"localhost:{server.port}"
    assert names == ["localhost"]


async def test_a_certificate_nobody_vouches_for_is_refused_before_anything_is_sent(
    rig: Rig, authority: Authority
) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    async with serve_faults(answer(b"{}"), tls=authority.context("localhost")) as server:
        heard = await rig.ask(server)
        assert isinstance(heard.error, ConnectFailed)
        assert "certificate is not trusted" in str(heard.error)
        assert not server.asked


async def test_a_certificate_for_another_name_is_refused(trusting: Rig, authority: Authority) -> None:
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    async with serve_faults(answer(b"{}"), tls=authority.context("other.example")) as server:
        heard = await trusting.ask(server)
        assert isinstance(heard.error, ConnectFailed)
        assert not server.asked


async def test_a_stream_over_tls_arrives_whole(trusting: Rig, authority: Authority) -> None:
    async with serve_faults(stream(*[b"x" * 1000] * 300), tls=authority.context("localhost")) as server:
        heard = await trusting.ask(server)
        assert heard.error is None
        assert len(heard.body) == 300_000


async def test_an_answer_without_length_over_tls_ends_well_only_if_the_other_side_says_so(
    trusting: Rig, authority: Authority
) -> None:
    async with serve_faults(no_length(b"whole"), tls=authority.context("localhost")) as server:
        heard = await trusting.ask(server)
        assert (heard.error, heard.body) == (None, b"whole")

    async def shut(turn: Turn) -> bool:
        await turn.write(head(200, []) + b"half")
        await asyncio.sleep(0.05)
        turn.shut()
        await asyncio.sleep(0.2)
        return False

    async with serve_faults(shut, tls=authority.context("localhost")) as server:
        heard = await trusting.ask(server)
        assert isinstance(heard.error, ConnectionLost)
        assert heard.body == b"half"


async def test_an_extra_authority_that_cannot_be_read_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(OSError):
        trust(tmp_path / "none.pem")
