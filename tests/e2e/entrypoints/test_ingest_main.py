"""The process that reads journals where the control plane is elsewhere."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.e2e.running import start
from tests.e2e.test_machines import refused

HEAVY = "fastapi starlette pydantic sqlalchemy alembic uvicorn dbos"


def test_it_loads_neither_framework_nor_orm() -> None:
    """What a control plane needs, memory first of all, has no place on a machine that only carries calls."""
    look = f"import sys, clavero.entrypoints.ingest_main; print([n for n in '{HEAVY}'.split() if n in sys.modules])"
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == "[]"


@pytest.mark.nightly
@pytest.mark.timeout(120)
def test_where_nobody_made_the_database_it_says_what_to_start_first(tmp_path: Path) -> None:
    seal = tmp_path / "data" / "seal"
    start(tmp_path / "other").stop()
    seal.mkdir(parents=True, mode=0o700)
    shutil.copy2(tmp_path / "other" / "seal" / "root.key", seal / "root.key")
    told = refused(tmp_path, "--control-plane", "elsewhere", DATABASE_URL="postgresql://127.0.0.1:9/nothing")
    assert "[control_plane_unseen]" in told
    assert "start the machine of the control plane first" in told
