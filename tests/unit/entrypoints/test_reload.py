import asyncio
import json
import os
import signal
from pathlib import Path

import pytest
from tests.pairs import make

from clavero.adapters.clock import SystemClock
from clavero.entrypoints.certificates import read_pair
from clavero.entrypoints.exposure import files_of
from clavero.entrypoints.logs import Log
from clavero.entrypoints.processes import Instructions
from clavero.entrypoints.reload import certificate_of
from clavero.settings import Settings, Tls


def told(folder: Path) -> Instructions:
    settings = Settings(tls=Tls(cert=str(folder / "cert.pem"), key=str(folder / "key.pem")))
    return Instructions(
        settings=settings, root_keys=(), orders_fd=0, name="gateway-1", report_fd=-1, gateway_port=1, admin_port=2,
        pair=read_pair(files_of(settings)),
    )  # fmt: skip


def test_without_tls_there_is_nothing_to_reload() -> None:
    settings = Settings()
    plain = Instructions(
        settings=settings, root_keys=(), orders_fd=0, name="", report_fd=-1, gateway_port=1, admin_port=2
    )
    assert certificate_of(plain, SystemClock(), Log("info", "x")) is None


async def test_a_hang_up_reads_the_pair_again_and_says_what_came_of_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make(tmp_path, ("one.example",))
    served = certificate_of(told(tmp_path), SystemClock(), Log("info", "x"))
    assert served is not None
    try:
        make(tmp_path, ("two.example",), days=(-1, 5))
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.01)
        assert served.pair.names == ("two.example",)
        (tmp_path / "cert.pem").write_text("nothing")
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0.01)
        assert served.pair.names == ("two.example",)
    finally:
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [line["event"] for line in lines] == [
        "certificate_reloaded", "certificate_ends", "certificate_kept", "certificate_ends",
    ]  # fmt: skip
    assert lines[0]["names"] == "two.example"
    assert "PEM" in lines[2]["problem"]


def test_a_pair_that_has_ended_is_served_and_warned_of(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    make(tmp_path, days=(-9, -3))

    async def start() -> None:
        assert certificate_of(told(tmp_path), SystemClock(), Log("info", "x")) is not None
        asyncio.get_running_loop().remove_signal_handler(signal.SIGHUP)

    asyncio.run(start())
    assert "ended 3 days ago" in capfd.readouterr().err
