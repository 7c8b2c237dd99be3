"""Who could listen in: nothing but loopback is served in the clear, unless a proxy that brings TLS is named."""

from msgspec.structs import replace

from clavero.domain.forwarded import Proxies, read_proxies
from clavero.domain.reach import Reach, is_here, reach_of, read_url
from clavero.domain.startup import StartFailure
from clavero.entrypoints.certificates import Files, Pair, read_pair
from clavero.settings import Settings


def pair_of(settings: Settings) -> Pair | None:
    """The certificate of both listeners, None where there is to be none; `StartFailure` for anything between."""
    files = files_of(settings)
    if bool(files.cert) != bool(files.key):
        missing = "--tls-key" if files.cert else "--tls-cert"
        raise StartFailure("tls_incomplete", f"{missing} is missing beside the other", f"{missing} FILE")
    if files.cert:
        return read_pair(files)
    for listener, host in (("gateway", settings.gateway.host), ("admin", settings.admin.host)):
        if not is_here(host) and not settings.behind.proxy:
            raise StartFailure(
                "exposed_in_the_clear",
                f"--{listener}-host {host} is reached from other machines, and there is no TLS",
                "--tls-cert FILE --tls-key FILE, or --behind-proxy CIDR of the proxy that brings TLS",
            )
    return None


def files_of(settings: Settings) -> Files:
    """Where the pair lies."""
    return Files(settings.tls.cert, settings.tls.key)


def proxies_of(settings: Settings) -> Proxies:
    """Whose X-Forwarded-* is believed."""
    return read_proxies(settings.behind.proxy)


def reach_by(settings: Settings, gateway_port: int, admin_port: int, pair: Pair | None) -> Reach:
    """The URLs of both listeners, now that their ports are known."""
    gateway, admin = settings.gateway, settings.admin
    reach = reach_of(
        (gateway.host, gateway_port, gateway.url), (admin.host, admin_port, admin.url), pair.names if pair else None
    )
    return replace(reach, admin=read_url(admin.url), admin_here="") if settings.is_outpost else reach
