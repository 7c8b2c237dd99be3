"""How one call of a provider can fail before anything is said about money or retries."""


class CallFailed(Exception):
    """The provider gave no whole answer. `sent`: the request may have reached it, so it may have been billed."""

    sent = True

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail or (self.__doc__ or "").split(".")[0])
        self.detail = detail


class ConnectFailed(CallFailed):
    """No connection was made: refused, unreachable, TLS failed, or the connect deadline passed."""

    sent = False


class ProxyFailed(ConnectFailed):
    """The proxy that calls leave through refused, or could not be reached; the provider was not asked."""


class AddressRefused(CallFailed):
    """The name resolved to an address that this origin's network class does not allow."""

    sent = False


class ConnectionLost(CallFailed):
    """The connection ended before the answer did."""


class Silent(CallFailed):
    """A deadline passed: first byte, idle or total."""


class BadAnswer(CallFailed):
    """The provider did not speak HTTP as it should."""


class Unsendable(CallFailed):
    """The request holds what HTTP cannot carry: a line break in a header, a blank in the target."""

    sent = False
