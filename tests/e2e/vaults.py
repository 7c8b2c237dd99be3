"""A vault seen from outside: what its files and rows hold, opened by hand, and a caller who never stops."""

import base64
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.e2e.running import Running

from clavero.adapters.clock import SystemClock
from clavero.bootstrap.unsealed import Unsealed
from clavero.domain.credentials import Credential, CredentialState
from clavero.domain.secret import Secret
from clavero.ports.publication import Publication
from clavero.vault.keyring import RootKeys
from clavero.vault.passphrase import PassphraseSeal
from clavero.vault.seal import PlainSeal, is_plain, unlock
from clavero.vault.seal_file import SealFile

WORDS = "correct horse battery staple"


def roots_of(data: Path) -> RootKeys:
    """The root keys in a seal, whichever it is."""
    file = SealFile(data / "seal" / "root.key")
    content = file.read()
    seal = PlainSeal() if is_plain(content) else PassphraseSeal(lambda: Secret(WORDS), os.urandom)
    return unlock(file, seal, content, os.urandom).keys


def publication_of(data: Path, url: str) -> Publication:
    """A worker's way to the database."""
    if url:
        from clavero.adapters.storage.publication_postgres import PostgresPublication

        return PostgresPublication(url, SystemClock())
    from clavero.adapters.storage.publication_sqlite import SqlitePublication

    return SqlitePublication(data / "clavero.db", SystemClock())


def opened_by_hand(data: Path, url: str = "") -> set[str]:
    """Every sealed secret, opened with what lies on the disk and nothing else; all that are active have to open."""
    publication, closed = publication_of(data, url), list[str]()
    try:
        unsealed = Unsealed(
            publication, os.urandom, roots_of(data).values, lambda *_what, **facts: closed.append(str(facts))
        )
        held = [one for one in publication.every(Credential) if one.state is CredentialState.ACTIVE]
        found = [unsealed.open(one) for one in unsealed.read(held)]
    finally:
        publication.close()
    assert not closed, closed[:3]
    return {secret.reveal() for secret in found if secret is not None}


def fill(running: Running, count: int, start: int = 0) -> set[str]:
    """So many keys of the demo's provider; every one is sealed."""
    provider = running.api("GET", "/providers").json["providers"][0]["name"]
    secrets = {f"sk-{number:05d}-{os.urandom(16).hex()}" for number in range(start, start + count)}
    for secret in secrets:
        assert running.api("POST", f"/providers/{provider}/credential", {"secret": secret}).status == 201
    return secrets


@dataclass
class Caller:
    """Calls without a pause, in a thread; keeps what did not go well."""

    running: Running
    calls: int = 0
    failures: list[str] = field(default_factory=list)
    busy: int = 0  # 503 because the ledger did not answer in time: told to retry, and no matter of the vault
    _stop: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Caller":
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                answer = self.running.chat()
                if answer.status == 503 and answer.json["error"]["code"] in {"ledger_unavailable", "budget_busy"}:
                    self.busy += 1
                elif answer.status != 200:
                    self.failures.append(f"{answer.status} {answer.body[:200]!r}")
            except OSError as error:
                self.failures.append(repr(error))
            self.calls += 1
            self._stop.wait(0.01)


def needles(key: bytes) -> Iterator[bytes]:
    """How half of a key may be written down."""
    for half in (key[:16], key[16:32]):
        yield half
        yield half.hex().encode()
        yield half.hex().upper().encode()
        yield repr(half)[2:-1].encode()
        yield ", ".join(str(byte) for byte in half).encode()
        for before in range(3):
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                written = encode(b"\0" * before + half + b"\0" * (-(before + 16) % 3))
                yield written[-(-8 * before // 6) : (before + 16) * 8 // 6]
