from pathlib import Path

import pytest

from clavero.settings import BadSetting, Settings, UnknownSetting, environment, provider_variables, read


def test_defaults_stand_where_nothing_is_said(tmp_path: Path) -> None:
    settings, sources = read({}, {}, tmp_path / "none.toml")
    assert settings == Settings()
    assert {row.source for row in sources} == {"default"}
    assert all(row.description for row in sources)


def test_flag_beats_variable_beats_file(tmp_path: Path) -> None:
    file = tmp_path / "clavero.toml"
    file.write_text("[gateway]\nport = 1\nworkers = 2\n[admin]\nport = 3\n")
    environ = {"CLAVERO_GATEWAY_PORT": "4", "CLAVERO_GATEWAY_WORKERS": "5"}
    settings, sources = read({"gateway.port": 6, "admin.port": None}, environ, file)
    assert (settings.gateway.port, settings.gateway.workers, settings.admin.port) == (6, 5, 3)
    named = {row.name: row.source for row in sources}
    assert named["gateway.port"] == "--gateway-port"
    assert named["gateway.workers"] == "CLAVERO_GATEWAY_WORKERS"
    assert named["admin.port"] == str(file)


def test_a_variable_that_everybody_writes_is_known() -> None:
    settings, _ = read({}, {"DATABASE_URL": "postgresql://localhost/x"})
    assert settings.storage.database_url == "postgresql://localhost/x"


@pytest.mark.parametrize(
    ("name", "near"), [("CLAVERO_GATEWAY_PROT", "CLAVERO_GATEWAY_PORT"), ("CLAVERO_ADMIN_PRT", "CLAVERO_ADMIN_PORT")]
)
def test_an_unknown_variable_is_an_error_with_the_nearest_name(name: str, near: str) -> None:
    with pytest.raises(UnknownSetting, match=near):
        read({}, {name: "1"})


def test_an_unknown_name_in_the_file_is_an_error(tmp_path: Path) -> None:
    file = tmp_path / "clavero.toml"
    file.write_text("[gateway]\nprot = 1\n")
    with pytest.raises(UnknownSetting, match=r"gateway\.port"):
        read({}, {}, file)


@pytest.mark.parametrize("value", ["-1", "65536", "many"])
def test_a_value_out_of_range_names_setting_and_source(value: str) -> None:
    with pytest.raises(BadSetting, match=r"CLAVERO_GATEWAY_PORT: gateway\.port"):
        read({}, {"CLAVERO_GATEWAY_PORT": value})


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    file = tmp_path / "clavero.toml"
    file.write_text("[gateway\n")
    with pytest.raises(BadSetting, match=r"clavero\.toml"):
        read({}, {}, file)


def test_providers_in_the_environment_are_named_not_read() -> None:
    assert provider_variables({"OPENAI_API_KEY": "x", "HOME": "/"}) == ["OPENAI_API_KEY"]


def test_children_inherit_nothing_that_looks_like_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "DATABASE_URL", "GH_TOKEN"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("LANG", "es_MX.UTF-8")
    inherited = environment()
    assert inherited["LANG"] == "es_MX.UTF-8"
    assert "x" not in {
        inherited.get(name) for name in ("OPENAI_API_KEY", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "DATABASE_URL")
    }
