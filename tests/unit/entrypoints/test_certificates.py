import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.pairs import Made, make

from clavero.adapters.clock import SystemClock
from clavero.domain.startup import StartFailure
from clavero.entrypoints.certificates import Files, Served, read_pair

CLOCK = SystemClock()


def files(made: Made) -> Files:
    return Files(str(made.cert), str(made.key))


def shown(context: ssl.SSLContext, most: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> tuple[int, str, str | None]:
    """Serial number, version and protocol of a handshake in memory."""
    client = ssl.create_default_context()
    client.check_hostname, client.verify_mode, client.maximum_version = False, ssl.CERT_NONE, most
    client.set_alpn_protocols(["h2", "http/1.1"])
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    server, caller = context.wrap_bio(up, down, server_side=True), client.wrap_bio(down, up)
    for _ in range(4):
        for side in (caller, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    from cryptography import x509

    told = caller.getpeercert(binary_form=True)
    assert told
    return x509.load_der_x509_certificate(told).serial_number, str(caller.version()), caller.selected_alpn_protocol()


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_a_good_pair_is_read_whole(kind: str, tmp_path: Path) -> None:
    made = make(tmp_path, ("LLM.example.com", "10.0.0.7"), kind="rsa" if kind == "rsa" else "ec")
    pair = read_pair(files(made))
    assert pair.names == ("llm.example.com", "10.0.0.7")
    assert 89 < pair.days_left(CLOCK.wall_ns()) <= 90
    assert pair.wrong(CLOCK.wall_ns()) == ""
    assert "PRIVATE" not in repr(pair)


def spoil_cert(made: Made) -> None:
    made.cert.write_text("nothing")


def spoil_key(made: Made) -> None:
    made.key.write_text("nothing")


def take_away(made: Made) -> None:
    made.key.unlink()


def open_up(made: Made) -> None:
    made.key.chmod(0o644)


def swap_key(made: Made) -> None:
    made.key.write_bytes(make(made.key.parent / "other").key.read_bytes())


def make_long(made: Made) -> None:
    made.cert.write_bytes(made.cert.read_bytes() * 100)


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (spoil_cert, "tls_unusable"), (spoil_key, "tls_unusable"), (take_away, "tls_file_unreadable"),
        (open_up, "tls_key_open"), (swap_key, "tls_key_mismatch"), (make_long, "tls_unusable"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line_with_its_remedy(spoil: Callable[[Made], None], code: str, tmp_path: Path) -> None:
    made = make(tmp_path)
    spoil(made)
    with pytest.raises(StartFailure) as caught:
        read_pair(files(made))
    assert caught.value.code == code
    assert caught.value.fix
    assert "\n" not in caught.value.message
    assert str(tmp_path) in caught.value.message


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked_for_it(tmp_path: Path) -> None:
    with pytest.raises(StartFailure, match="passphrase") as caught:
        read_pair(files(make(tmp_path, password=b"secret")))
    assert caught.value.code == "tls_key_encrypted"


def test_a_key_for_the_group_that_serves_is_taken(tmp_path: Path) -> None:
    made = make(tmp_path)
    made.key.chmod(0o640)
    assert read_pair(files(made)).names


def test_a_pair_too_weak_for_the_library_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(StartFailure, match="small"):
        read_pair(files(make(tmp_path, kind="weak")))


def test_time_alone_does_not_keep_a_pair_from_being_read_and_is_told(tmp_path: Path) -> None:
    now = CLOCK.wall_ns()
    assert "ended 3 days ago" in read_pair(files(make(tmp_path / "old", days=(-9, -3)))).wrong(now)
    assert "not valid yet" in read_pair(files(make(tmp_path / "new", days=(2, 9)))).wrong(now)


def test_new_handshakes_see_the_pair_that_was_read_last_also_with_another_kind_of_key(tmp_path: Path) -> None:
    first = make(tmp_path, kind="rsa")
    served = Served(read_pair(files(first)), files(first), CLOCK)
    assert shown(served.context)[0] == first.serial
    second = make(tmp_path, kind="ec")
    assert served.reload()
    for version in (ssl.TLSVersion.TLSv1_3, ssl.TLSVersion.TLSv1_2):
        assert shown(served.context, version)[0] == second.serial


@pytest.mark.parametrize("spoil", [spoil_cert, spoil_key, take_away, open_up, swap_key])
def test_files_that_are_not_good_leave_the_pair_in_use(spoil: Callable[[Made], None], tmp_path: Path) -> None:
    first = make(tmp_path)
    served = Served(read_pair(files(first)), files(first), CLOCK)
    spoil(make(tmp_path))
    assert not served.reload()
    assert served.problem
    assert shown(served.context)[0] == first.serial
    third = make(tmp_path)
    third.key.chmod(0o600)
    assert served.reload()
    assert served.problem == ""
    assert shown(served.context)[0] == third.serial


def test_a_pair_that_has_ended_does_not_replace_one_that_works(tmp_path: Path) -> None:
    first = make(tmp_path)
    served = Served(read_pair(files(first)), files(first), CLOCK)
    make(tmp_path, days=(-9, -3))
    assert not served.reload()
    assert "ended" in served.problem
    assert served.days_left() > 80


def test_versions_before_1_2_are_not_spoken_and_http_1_1_is_what_follows(tmp_path: Path) -> None:
    made = make(tmp_path)
    context = Served(read_pair(files(made)), files(made), CLOCK).context
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert context.options & ssl.OP_NO_RENEGOTIATION
    assert shown(context)[1:] == ("TLSv1.3", "http/1.1")
    assert shown(context, ssl.TLSVersion.TLSv1_2)[1:] == ("TLSv1.2", "http/1.1")
    assert all(cipher["name"].startswith(("TLS_", "ECDHE-")) for cipher in context.get_ciphers())
