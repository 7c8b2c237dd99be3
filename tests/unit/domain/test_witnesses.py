import pytest

from clavero.domain.witnesses import Collector, Place, read_collector, read_witnesses


def test_places_are_told_apart_by_how_they_begin() -> None:
    assert read_witnesses("") == ()
    assert read_witnesses("/mnt/trail.jsonl, git:/srv/trail , s3://trail/prod") == (
        Place("file", "/mnt/trail.jsonl"),
        Place("git", "/srv/trail"),
        Place("s3", "s3://trail/prod"),
    )


@pytest.mark.parametrize(
    "text", ["s3://", "s3:///prefix", "s3://a:b@trail", "git:trail", "https://host/x", "/a, ftp://b"]
)
def test_what_is_no_place_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"which is not|wanted are"):
        read_witnesses(text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", None),
        ("unix:/dev/log", Collector("unix", "/dev/log")),
        ("udp://siem.example", Collector("udp", "siem.example", 514)),
        ("tcp://10.0.0.7:1514/", Collector("tcp", "10.0.0.7", 1514)),
        ("tls://[2001:db8::1]", Collector("tls", "2001:db8::1", 6514)),
    ],
)
def test_a_collector_is_read(text: str, found: Collector | None) -> None:
    assert read_collector(text) == found


@pytest.mark.parametrize(
    "text",
    ["siem.example", "http://siem", "tls://", "tcp://h:99999", "udp://u:p@h", "tcp://h/path", "unix:log", "tls://[::1"],
)
def test_what_is_no_collector_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not tls://"):
        read_collector(text)
