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


def test_the_databases_url_may_lie_in_a_file(tmp_path: Path) -> None:
    file = tmp_path / "database-url"
    file.write_text("postgresql://clavero:hunter22@db/clavero\n")
    settings, sources = read({}, {"DATABASE_URL_FILE": str(file)}, tmp_path / "none.toml")
    assert settings.storage.database_url == "postgresql://clavero:hunter22@db/clavero"
    assert next(row.source for row in sources if row.name == "storage.database_url") == "DATABASE_URL_FILE"


@pytest.mark.parametrize("content", [b"", b"\n", b"one\ntwo\n", b"\xff\xfe", b"a\0b"], ids=str)
def test_a_file_that_holds_no_single_line_is_refused_and_not_said_back(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "database-url"
    file.write_bytes(content)
    with pytest.raises(BadSetting, match="must hold one line") as refused:
        read({}, {"DATABASE_URL_FILE": str(file)}, tmp_path / "none.toml")
    assert "two" not in str(refused.value)


def test_two_urls_or_a_file_that_is_not_there_are_refused(tmp_path: Path) -> None:
    for environ in ({"DATABASE_URL_FILE": str(tmp_path / "none")}, {"DATABASE_URL_FILE": "x", "DATABASE_URL": "y"}):
        with pytest.raises(BadSetting, match="DATABASE_URL_FILE"):
            read({}, environ, tmp_path / "none.toml")


@pytest.mark.parametrize(
    "names", [("HTTPS_PROXY", "HTTP_PROXY", "NO_PROXY"), ("https_proxy", "http_proxy", "no_proxy")]
)
def test_proxies_are_where_everybody_writes_them(names: tuple[str, str, str]) -> None:
    settings, sources = read({}, dict(zip(names, ("http://a:1", "http://b:2", "c.example"), strict=True)))
    assert (settings.upstream.https_proxy, settings.upstream.http_proxy) == ("http://a:1", "http://b:2")
    assert settings.upstream.no_proxy == "c.example"
    assert {row.source for row in sources} == {"default", *names}


def test_a_setting_of_ours_goes_before_what_everybody_writes() -> None:
    environ = {"CLAVERO_UPSTREAM_HTTPS_PROXY": "http://ours:1", "HTTPS_PROXY": "http://theirs:1"}
    assert read({}, environ)[0].upstream.https_proxy == "http://ours:1"
    assert read({}, {"HTTPS_PROXY": ""})[0].upstream.https_proxy == ""


@pytest.mark.parametrize(
    ("variable", "value", "rule"),
    [
        ("HTTPS_PROXY", "socks5://me:hunter22@proxy:1080", "socks5"),
        ("CLAVERO_GATEWAY_HOST", "example.com", r"0\.0\.0\.0"),
        ("CLAVERO_ADMIN_URL", "https://me:hunter22@x/y", r"http\(s\)://host"),
        ("CLAVERO_BEHIND_PROXY", "10.0.0.0/33", r"10\.0\.0\.0/33"),
        ("CLAVERO_BEHIND_PROXY", "0.0.0.0/0", "wider"),
    ],
)
def test_a_text_that_means_nothing_is_refused_with_its_rule_and_no_password(
    variable: str, value: str, rule: str
) -> None:
    with pytest.raises(BadSetting, match=rule) as caught:
        read({}, {variable: value})
    assert variable in str(caught.value)
    assert "hunter22" not in str(caught.value)


def test_a_list_in_the_file_is_as_good_as_commas(tmp_path: Path) -> None:
    file = tmp_path / "clavero.toml"
    file.write_text('[behind]\nproxy = ["10.0.0.0/8", "fd00::/8"]\n')
    assert read({}, {}, file)[0].behind.proxy == "10.0.0.0/8, fd00::/8"


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
    for name in (
        "OPENAI_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "PGPASSWORD",
        "DATABASE_URL",
        "GH_TOKEN",
        "HTTPS_PROXY",
        "https_proxy",
    ):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("LANG", "es_MX.UTF-8")
    inherited = environment()
    assert inherited["LANG"] == "es_MX.UTF-8"
    assert "x" not in {
        inherited.get(name)
        for name in (
            "OPENAI_API_KEY",
            "AWS_SECRET_ACCESS_KEY",
            "PGPASSWORD",
            "DATABASE_URL",
            "HTTPS_PROXY",
            "https_proxy",
        )
    }
