from clavero.domain.calls import AddressRefused, CallFailed, ConnectFailed, ConnectionLost, Silent, Unsendable


def test_only_what_never_left_cannot_have_been_billed() -> None:
    assert {kind for kind in (ConnectFailed, AddressRefused, Unsendable) if kind.sent} == set()
    assert ConnectionLost.sent
    assert Silent.sent


def test_without_detail_the_class_says_what_happened() -> None:
    assert str(ConnectionLost()) == "The connection ended before the answer did"
    assert str(CallFailed("more")) == "more"
