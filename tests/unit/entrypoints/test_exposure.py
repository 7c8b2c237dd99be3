from pathlib import Path

import pytest
from tests.pairs import make

from clavero.domain.startup import StartFailure
from clavero.entrypoints.exposure import pair_of, proxies_of, reach_by
from clavero.settings import Settings, read

ALL = "0.0.0.0"


def settings(**flags: object) -> Settings:
    return read({name.replace("__", "."): value for name, value in flags.items()}, {}, Path("none.toml"))[0]


def test_loopback_needs_no_tls() -> None:
    assert pair_of(settings()) is None
    assert pair_of(settings(gateway__host="::1", admin__host="localhost")) is None


@pytest.mark.parametrize("listener", ["gateway", "admin"])
@pytest.mark.parametrize("host", [ALL, "::", "10.0.0.7"])
def test_another_address_without_tls_is_refused_with_both_remedies(listener: str, host: str) -> None:
    with pytest.raises(StartFailure, match=f"--{listener}-host") as caught:
        pair_of(settings(**{f"{listener}__host": host}))
    assert caught.value.code == "exposed_in_the_clear"
    assert "--tls-cert" in caught.value.fix
    assert "--behind-proxy" in caught.value.fix


def test_behind_a_proxy_it_is_served_in_the_clear() -> None:
    told = settings(gateway__host=ALL, behind__proxy="10.0.0.0/8")
    assert pair_of(told) is None
    assert proxies_of(told).holds("10.0.0.7")


@pytest.mark.parametrize(("given", "missing"), [("cert", "--tls-key"), ("key", "--tls-cert")])
def test_half_a_pair_is_refused(given: str, missing: str) -> None:
    with pytest.raises(StartFailure, match=missing) as caught:
        pair_of(settings(**{f"tls__{given}": "x.pem"}))
    assert caught.value.code == "tls_incomplete"


def test_with_a_pair_every_address_is_served_and_called_by_its_name(tmp_path: Path) -> None:
    made = make(tmp_path, ("llm.example.com",))
    told = settings(gateway__host=ALL, admin__host=ALL, tls__cert=str(made.cert), tls__key=str(made.key))
    pair = pair_of(told)
    assert pair is not None
    reach = reach_by(told, 5141, 5142, pair)
    assert (reach.gateway, reach.admin_here) == ("https://llm.example.com:5141", "https://127.0.0.1:5142")
