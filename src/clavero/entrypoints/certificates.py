"""The certificate of both listeners: read from its files, checked as a whole, and replaced without a restart.

Whatever is wrong with the files is said in one line before anything listens. Later, a pair that is not good leaves the
one in use where it is.
"""

import os
import ssl
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from clavero.domain.startup import StartFailure
from clavero.ports.clock import Clock

if TYPE_CHECKING:
    from cryptography import x509

SOON_DAYS = 14  # from here on it is warned of
_DAY = 86_400
_MOST_BYTES = 24 * 1024  # both together travel down one pipe
_CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2; those of 1.3 are all good


class Files(Struct, frozen=True):
    """Where the pair lies."""

    cert: str
    key: str


class Pair(Struct, frozen=True, kw_only=True):
    """A certificate with its chain and its key, as PEM; the names that it is for; its time in UTC seconds."""

    chain: bytes
    key: bytes
    names: tuple[str, ...]
    not_before: int
    not_after: int

    def __repr__(self) -> str:
        return f"Pair({', '.join(self.names)})"  # the key is in here

    def days_left(self, now_ns: int) -> float:
        """Days until it ends; below zero once it has."""
        return (self.not_after - now_ns / 1e9) / _DAY

    def wrong(self, now_ns: int) -> str:
        """Why clients will not take it now; "" where time alone is no reason."""
        if now_ns >= self.not_after * 10**9:
            return f"the certificate ended {-self.days_left(now_ns):.0f} days ago"
        return "the certificate is not valid yet" if now_ns < self.not_before * 10**9 else ""


class Served:
    """The pair that new handshakes are shown: `context` is for listeners, and stays the same when the pair changes."""

    def __init__(self, pair: Pair, files: Files, clock: Clock) -> None:
        self.pair = pair
        self.problem = ""  # why the last reload changed nothing
        self._files = files
        self._clock = clock
        self._current = context_of(pair)
        self.context = context_of(pair)
        # Loading into the same context would leave the old pair beside the new one where their key types differ.
        self.context.sni_callback = self._show

    def reload(self) -> bool:
        """Read the files again; True where they are shown from now on. Connections that stand keep what they saw."""
        try:
            pair = read_pair(self._files)
            if wrong := pair.wrong(self._clock.wall_ns()):
                raise unusable(self._files.cert, wrong)
            context = context_of(pair)
        except StartFailure as failure:
            self.problem = failure.message
            return False
        self.pair, self._current, self.problem = pair, context, ""
        return True

    def days_left(self) -> float:
        """Days until the pair in use ends."""
        return self.pair.days_left(self._clock.wall_ns())

    def _show(self, handshake: ssl.SSLObject | ssl.SSLSocket, _name: str | None, _context: ssl.SSLContext) -> None:
        handshake.context = self._current


def read_pair(files: Files) -> Pair:
    """The pair in these files; `StartFailure` with what is wrong and what to do."""
    chain, key = _read(files.cert, "--tls-cert"), _read(files.key, "--tls-key", secret=True)
    if len(chain) + len(key) > _MOST_BYTES:
        raise unusable(files.cert, "it is longer than a chain can be")
    pair = _parsed(files, chain, key)
    context_of(pair)  # what the library will not serve is told now
    return pair


def context_of(pair: Pair) -> ssl.SSLContext:
    """How both listeners speak TLS: 1.2 and later, HTTP/1.1, no renegotiation; `StartFailure` for a pair it refuses."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(_CIPHERS)
    context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION | ssl.OP_CIPHER_SERVER_PREFERENCE
    context.set_alpn_protocols(["http/1.1"])
    # The library reads files alone. This one is memory, has no name, and is gone when it is closed.
    with os.fdopen(os.memfd_create("certificate", os.MFD_CLOEXEC), "wb") as file:
        file.write(pair.key + b"\n" + pair.chain)
        file.flush()
        try:
            context.load_cert_chain(f"/proc/self/fd/{file.fileno()}", password=lambda: b"")
        except (ssl.SSLError, OSError) as error:
            reason = getattr(error, "reason", "") or error.strerror or type(error).__name__
            raise unusable("the certificate", str(reason).lower().replace("_", " ")) from None
    return context


def unusable(what: str, why: str) -> StartFailure:
    """A pair that cannot be served."""
    fix = "renew it; openssl x509 -noout -text -in FILE shows what it is"
    return StartFailure("tls_unusable", f"{what}: {why}", fix)


def _read(file: str, flag: str, *, secret: bool = False) -> bytes:
    path = Path(file)
    try:
        if secret and stat.S_IMODE(path.stat().st_mode) & stat.S_IRWXO:
            raise StartFailure("tls_key_open", f"{file} is open to every user of this machine", f"chmod o= {file}")
        with path.open("rb") as opened:
            return opened.read(_MOST_BYTES + 1)
    except OSError as error:
        why = (error.strerror or type(error).__name__).lower()
        raise StartFailure("tls_file_unreadable", f"cannot read {file} ({why})", f"{flag} FILE") from None


def _parsed(files: Files, chain: bytes, key: bytes) -> Pair:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
    except ValueError:
        raise unusable(files.cert, "there is no certificate in PEM") from None
    try:
        private = load_pem_private_key(key, None)
    except TypeError:
        fix = f"openssl pkey -in {files.key} -out FILE; chmod 600 FILE; --tls-key FILE"
        raise StartFailure("tls_key_encrypted", f"{files.key} asks for a passphrase", fix) from None
    except (ValueError, UnsupportedAlgorithm):
        raise unusable(files.key, "there is no private key in PEM") from None
    if private.public_key() != leaf.public_key():
        message = f"{files.key} is not the key of {files.cert}"
        raise StartFailure("tls_key_mismatch", message, "give the pair that was issued together; the leaf comes first")
    return Pair(
        chain=chain, key=key, names=_names(leaf), not_before=int(leaf.not_valid_before_utc.timestamp()),
        not_after=int(leaf.not_valid_after_utc.timestamp()),
    )  # fmt: skip


def _names(leaf: "x509.Certificate") -> tuple[str, ...]:
    from cryptography import x509

    try:
        said = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, ValueError):
        return ()
    names = [name.lower() for name in said.get_values_for_type(x509.DNSName)]
    return (*names, *(str(address) for address in said.get_values_for_type(x509.IPAddress)))
