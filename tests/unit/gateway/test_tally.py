from clavero.gateway.tally import Tally


def test_every_stranger_is_counted_and_each_address_logged_once_a_second() -> None:
    lines: list[tuple[str, str]] = []
    tally = Tally(lambda code, address: lines.append((code, address)))
    for second in (1, 1, 2):
        tally.stranger("invalid_api_key", "10.0.0.1", second)
    tally.stranger("missing_api_key", "10.0.0.2", 2)
    assert tally.refused == {"invalid_api_key": 3, "missing_api_key": 1}
    assert lines == [("invalid_api_key", "10.0.0.1")] * 2 + [("missing_api_key", "10.0.0.2")]


def test_a_flood_of_addresses_does_not_grow_without_bound() -> None:
    tally = Tally(lambda _code, _address: None)
    for number in range(25_000):
        tally.stranger("missing_api_key", str(number), 1)
    assert tally.refused["missing_api_key"] == 25_000
    assert len(tally._heard) <= 10_000
