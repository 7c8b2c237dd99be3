import pytest

from clavero.bootstrap.storage import here, is_server
from clavero.domain.startup import StartFailure
from clavero.settings import Settings, Storage


def with_url(url: str) -> Settings:
    return Settings(storage=Storage(database_url=url))


def test_a_file_is_the_default_and_a_url_is_a_server() -> None:
    assert not is_server(with_url(""))
    assert is_server(with_url("postgresql://localhost/clavero"))


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite:///x.db", "localhost"])
def test_a_url_of_anything_else_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(StartFailure) as caught:
        is_server(with_url(url))
    assert url not in str(caught.value)


def test_a_command_that_mends_names_the_data_directory_where_it_is_another() -> None:
    failure = StartFailure("database_older", "it is older", "clavero db migrate")
    usual, other = Settings(), Settings(storage=Storage(data_dir="/srv/my data"))
    assert here(failure, usual).fix == "clavero db migrate"
    assert here(failure, other).fix == "clavero db migrate --data-dir '/srv/my data'"
    assert here(StartFailure("x", "y", "free space"), other).fix == "free space"
