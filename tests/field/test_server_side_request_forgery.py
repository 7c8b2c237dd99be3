"""A provider's key goes to no address that its entry does not allow: CVE-2024-6587, CVE-2025-66405 and cloud metadata.

Names are resolved and checked where the connection is made, and the connection goes to the checked address, so neither
a redirect, nor a rebinding name, nor a spelling of IPv6 leads elsewhere.
"""

import asyncio
from typing import Any

import pytest
from tests.flow.adapters.upstreams.rig import Rig

from clavero.domain.calls import AddressRefused
from clavero.testing.faults import answer, serve_faults


@pytest.mark.parametrize("network", ["public", "private", "loopback"])
@pytest.mark.parametrize(
    "host",
    ["169.254.169.254", "[::ffff:169.254.169.254]", "[fe80::1]", "[fd00:ec2::254]", "100.100.100.200", "0.0.0.0"],
)
async def test_metadata_services_are_refused_whatever_the_entry_says(host: str, network: str) -> None:
    rig = Rig()
    rig.pool.allow(f"http://{host}:80", network)
    heard = await rig.ask(f"http://{host}:80")
    await rig.pool.close()
    assert isinstance(heard.error, AddressRefused)


async def test_a_name_that_changes_after_the_check_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()
    loop = asyncio.get_running_loop()
    asked = 0

    async def rebinding(host: str, port: int, **_: Any) -> list[Any]:
        nonlocal asked
        asked += 1
        return [(2, 1, 6, "", ("127.0.0.1" if asked == 1 else "127.0.0.2", port))]

    async with serve_faults(answer(b"{}")) as server:
        origin = f"http://rebinding.example:{server.port}"
        rig.pool.allow(origin, "loopback")
        # Both the resolver's question and any that connecting would ask: there must be one, and only one.
        monkeypatch.setattr(loop, "getaddrinfo", rebinding)
        heard = await rig.ask(origin)
        monkeypatch.undo()
        await rig.pool.close()
        assert heard.status == 200
        assert asked == 1
        assert server.asked[0].headers["host"] == f"rebinding.example:{server.port}"


async def test_a_public_name_that_points_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig()

    async def inside(host: str, port: int, **_: Any) -> list[Any]:
        return [(2, 1, 6, "", (address, port)) for address in ("127.0.0.1", "10.0.0.1", "169.254.169.254")]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", inside)
    rig.pool.allow("https://api.example:443", "public")
    heard = await rig.ask("https://api.example:443")
    await rig.pool.close()
    assert isinstance(heard.error, AddressRefused)
