from pathlib import Path

import pytest

from clavero.domain.startup import Exit
from clavero.entrypoints.cli.failure import Failure
from clavero.entrypoints.cli.settings import local


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LC_ALL", "C")


def told(name: str) -> tuple[object, object]:
    return next((one["value"], one["source"]) for one in local(None) if one["name"] == name)


def test_each_value_has_its_source(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CLAVERO_GATEWAY_WORKERS", "2")
    (tmp_path / "clavero.toml").write_text("[admin]\nport = 5142\n")
    assert told("gateway.workers") == (2, "CLAVERO_GATEWAY_WORKERS")
    assert told("admin.port") == (5142, "clavero.toml")
    assert told("gateway.port") == (4141, "default")


def test_a_password_in_an_address_is_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://clavero:hunter22@db/clavero")
    assert told("storage.database_url") == ("postgresql://clavero:***@db/clavero", "DATABASE_URL")


def test_an_unknown_setting_is_a_usage_error_with_the_nearest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLAVERO_GATEWAY_WORKER", "2")
    with pytest.raises(Failure) as refused:
        local(None)
    assert refused.value.exit_code is Exit.USAGE
    assert "CLAVERO_GATEWAY_WORKERS" in refused.value.message
