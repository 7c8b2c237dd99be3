from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.flow.entrypoints.cli.rig import Terminal, open_terminal


@pytest.fixture
async def terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Terminal]:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o700)
    async with open_terminal(folder, monkeypatch) as opened:
        yield opened
