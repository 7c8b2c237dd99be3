"""The process of a worker."""

import subprocess
import sys

from tests.e2e.running import Running, fetch


def test_health_answers_without_a_key(clavero: Running) -> None:
    for path in ("/health/live", "/health/ready"):
        assert fetch(clavero.gateway + path, "GET", {}, None).status == 200


def test_a_worker_has_loaded_neither_framework_nor_orm(clavero: Running) -> None:
    """Its own modules when it has served, since the memory of the running one is nobody's to read."""
    imported = "import clavero.entrypoints.gateway_main, sys; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", imported], capture_output=True, text=True, timeout=30, check=True, env=clavero.environ
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "httptools" in loaded
    assert not loaded & {"fastapi", "starlette", "pydantic", "sqlalchemy", "dbos", "psycopg", "uvicorn", "jinja2"}


def test_answers_carry_what_an_operator_looks_for(clavero: Running) -> None:
    headers = {name.lower(): value for name, value in clavero.chat().headers.items()}
    for name in (
        "x-request-id",
        "x-clavero-key",
        "x-clavero-model",
        "x-clavero-provider",
        "x-clavero-cost",
        "x-clavero-attempts",
        "x-clavero-overhead-ms",
    ):
        assert headers.get(name), name
