"""What a gateway worker is composed of. It loads neither framework nor ORM; a test looks."""

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from msgspec import Struct

from clavero import __version__
from clavero.adapters.clock import SystemClock, SystemDice
from clavero.adapters.storage.journal import SegmentJournal
from clavero.adapters.storage.segments import place
from clavero.adapters.ticker import LoopTicker
from clavero.adapters.upstreams.pool import Pool
from clavero.bootstrap.storage import epochs_of, lender_of, publication_of
from clavero.bootstrap.unsealed import Unsealed
from clavero.domain.attempts import Rules
from clavero.domain.credentials import Credential, Provider
from clavero.domain.epochs import Standing, standing
from clavero.domain.errors import KeyDisabled, KeyRevoked
from clavero.domain.keys import Key, KeyState, Kid
from clavero.domain.ledger import BootId
from clavero.domain.origins import read_origin
from clavero.domain.proxies import Outward, read_bypass, read_proxy
from clavero.domain.refusals import InvalidValue
from clavero.domain.retention import Behind
from clavero.domain.sealing import SealedKey
from clavero.domain.startup import StartFailure
from clavero.domain.usage import Exchange
from clavero.gateway.bank import Bank
from clavero.gateway.leases import Leases
from clavero.gateway.plugs import Aside, Plugs, Words
from clavero.gateway.tally import Tally
from clavero.gateway.trail import UnderWay
from clavero.gateway.view import View
from clavero.ports.publication import Change, Publication
from clavero.ports.upstreams import Deadlines
from clavero.settings import Settings
from clavero.vault.box import CannotOpen
from clavero.vault.fingerprint import Fingerprints
from clavero.wire.journal import Pulse

_FIRST_LOOK_SECONDS = 0.05  # between two looks for a schema, at a first start
_WAIT_SECONDS = 1.0
_MOST_WAITS = 1200  # for the control plane to make the schema: a minute
Say = Callable[..., None]


class Rim(Struct, frozen=True):
    """What the edge lends the planes: words for problems, and a log."""

    words: Words
    aside: Aside
    say: Say
    failure: Callable[..., None]
    access: Callable[[Exchange], None] | None = None
    applied: Callable[[int], None] = lambda _seq: None  # hears how far the view has come


class GatewayWorker:
    """The plugs of one worker, and the threads that keep them current."""

    def __init__(self, settings: Settings, root_keys: Sequence[bytes], name: str, rim: Rim) -> None:
        self._rim = rim
        self._clock = SystemClock()
        self._dice = SystemDice()
        self._publication: Publication = publication_of(settings)
        self._reader = ThreadPoolExecutor(1, "publication")
        self._following: asyncio.Task[None] | None = None
        self._unsealed = Unsealed(self._publication, self._dice.token, root_keys, rim.say)
        self.ticker = LoopTicker(self._clock)
        self._settings = settings
        self._name = name
        self.plugs: Plugs
        self._journal: SegmentJournal

    async def open(self) -> None:
        """Load the view, register the boot, begin to follow; `StartFailure` where the vault is not ours."""
        self.ticker.start()
        under_way = UnderWay()
        view = View(self._unsealed.open, lambda kid: self._cut(under_way, kid))
        seq, things = await self._first_load()
        things[Credential] = await self._reread(things[Credential])
        upstream = self._settings.upstream
        pool = Pool(self.ticker, outward=outward_of(self._settings))
        self.plugs = Plugs(
            view=view, clock=self._clock, dice=self._dice, fingerprints=Fingerprints(self._unsealed.peppers()),
            bank=await self._open_bank(), journal=self._journal, upstreams=pool, under_way=under_way,
            tally=Tally(lambda code, address: self._rim.say("stranger", "warning", code=code, address=address)),
            words=self._rim.words, aside=self._rim.aside, rules=Rules(per_target=upstream.attempts),
            deadlines=Deadlines(upstream.connect_seconds, upstream.first_byte_seconds, upstream.idle_seconds,
                                upstream.total_seconds),
            retry_budgets={}, report=lambda error, request: self._rim.failure("fault", error, request_id=request),
            version=__version__, access=self._rim.access,
        )  # fmt: skip
        view.load(seq, things)
        self._allow()
        self.plugs.bank.start()
        self._following = asyncio.ensure_future(self._follow())

    def take_roots(self, root_keys: Sequence[bytes]) -> tuple[str, ...]:
        """Hold these root keys from now on; returns their names."""
        return self._unsealed.take_roots(root_keys)

    def beat(self) -> None:
        """Once a second: what the journal and the gauges want to know."""
        plugs = self.plugs
        streams = sum(1 for trail in plugs.under_way if trail.started)
        waiting = len(plugs.bank.leases.waiting)
        lag_us = int(self.ticker.lag * 1e6)
        self._journal.watch()
        self._journal.append(
            Pulse(self._clock.wall_ns(), plugs.view.seq, len(plugs.under_way), waiting, lag_us, streams)
        )

    async def close(self) -> None:
        """Give every slice back, seal the journal, end every connection."""
        if self._following is not None:
            self._following.cancel()
        await self.plugs.bank.close()
        await self.plugs.upstreams.close()
        self._journal.close(self._clock.wall_ns())
        self.ticker.stop()
        self._reader.submit(self._publication.close)  # behind a look that may still be under way
        self._reader.shutdown(wait=False)

    # --- inside

    async def _first_load(self) -> tuple[int, dict[type[Struct], Sequence[Struct]]]:
        """The stored view; at a first start the control plane is still making it."""
        loop = asyncio.get_running_loop()
        for _ in range(_MOST_WAITS):
            try:
                seq, things = await loop.run_in_executor(self._reader, self._publication.load)
            except ConnectionError:
                things = {}
            if things.get(SealedKey):
                return seq, dict(things)
            await asyncio.sleep(_FIRST_LOOK_SECONDS)
        raise ConnectionError("the control plane made no schema")

    async def _open_bank(self) -> Bank:
        """A boot of its own: journal and lock first, then known to the ledger (L1)."""
        power = self._settings.journal.durability == "power"
        root = self._settings.data / "journal"
        boot = BootId(self._dice.token(16).hex())
        await self._wait_for_journals(root)
        here = place(root, durable=power)
        kept = self._settings.journal.kept_segments
        self._journal = SegmentJournal(root, boot, self._name, report=self._rim.failure, power=power, kept=kept)
        lender = lender_of(self._settings, here)
        stale = self._settings.ledger.stale_seconds
        bank = Bank(lender, self._journal, Leases(boot), self._clock, stale)
        await self._register(bank)
        return bank

    async def _register(self, bank: Bank) -> None:
        """Register as soon as the database takes it: to end and begin again would leave a journal behind each time."""
        told = False
        while True:
            try:
                await bank.register(self._name)
            except ConnectionError as error:
                if not told:
                    self._rim.say("waiting_for_database", "warning", why=str(error))
                told = True
                await asyncio.sleep(_FIRST_LOOK_SECONDS)
            else:
                return

    async def _reread(self, credentials: Sequence[Struct]) -> Sequence[Struct]:
        """The keys of the vault as they are now, and these credentials as they open with them."""
        read, known = self._unsealed.read, [one for one in credentials if isinstance(one, Credential)]
        return await asyncio.get_running_loop().run_in_executor(self._reader, read, known)

    async def _wait_for_journals(self, root: Path) -> None:
        """A database that was brought back lends nothing before this machine's journals are read into it (L31)."""
        loop, epochs, told = asyncio.get_running_loop(), epochs_of(self._settings), False
        while True:
            with contextlib.suppress(ConnectionError):
                now = standing(await loop.run_in_executor(self._reader, epochs.look))
                if now is Standing.SAME or (now is Standing.NEW and _is_bare(root)):  # nothing to be read
                    break
            if not told:
                self._rim.say("waits_for_journals")
                told = True
            await asyncio.sleep(_FIRST_LOOK_SECONDS)
        self._reader.submit(epochs.close)

    def _cut(self, under_way: UnderWay, kid: Kid) -> None:
        """End what a key that no longer works has under way."""
        for trail in under_way.of_key(kid):
            owner = trail.grant.key.owner if trail.grant else ""
            disabled = self._state(kid) is KeyState.DISABLED
            trail.stop(KeyDisabled(owner=owner) if disabled else KeyRevoked(owner=owner))

    def _state(self, kid: Kid) -> KeyState | None:
        grant = self.plugs.view.grant(kid)
        return grant.key.state if grant else None

    def _allow(self) -> None:
        """Tell the pool which origins there are."""
        for provider in self.plugs.view.providers:
            try:
                origin = read_origin(provider.base_url, provider.network).origin
                self.plugs.upstreams.allow(origin, provider.network.value)
            except (InvalidValue, ValueError) as error:
                self._rim.failure("provider_unusable", error, provider=provider.name)

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                changes = await loop.run_in_executor(
                    self._reader, self._publication.wait, self.plugs.view.seq, _WAIT_SECONDS
                )
                if changes:
                    await self._take(changes)
            except Behind:
                self._rim.say("view_behind", "warning", seq=self.plugs.view.seq)
                await self._load_again()
            except ConnectionError:
                await asyncio.sleep(_FIRST_LOOK_SECONDS)
            except Exception as error:  # noqa: BLE001 - whatever it is: who stops following hears of no revocation
                self._rim.failure("view_not_followed", error, seq=self.plugs.view.seq)
                await asyncio.sleep(_WAIT_SECONDS)

    async def _take(self, changes: Sequence[Change]) -> None:
        """Read the changed rows, then let the view have them in one step."""
        loop = asyncio.get_running_loop()
        by_kind: dict[type[Struct], list[str]] = {}
        for change in changes:
            kind = kind_of(change.kind)
            if kind is not None:
                by_kind.setdefault(kind, []).append(change.id)
        found: dict[type[Struct], Sequence[Struct]] = {
            kind: await loop.run_in_executor(self._reader, self._publication.fetch, kind, ids)
            for kind, ids in by_kind.items()
        }
        await self._apply(max(change.seq for change in changes), by_kind, found)

    async def _load_again(self) -> None:
        """Everything that is published has changed, as far as this worker knows; what it had and is gone is gone."""
        seq, found = await asyncio.get_running_loop().run_in_executor(self._reader, self._publication.load)
        wanted = {
            kind: [identity_of(one) for one in (*self.plugs.view.things(kind), *rows)] for kind, rows in found.items()
        }
        await self._apply(seq, wanted, dict(found))

    async def _apply(
        self, seq: int, wanted: Mapping[type[Struct], Sequence[str]], found: dict[type[Struct], Sequence[Struct]]
    ) -> None:
        plugs = self.plugs
        if SealedKey in found or Credential in found:
            await self._take_keys(found)
        for kind, ids in wanted.items():
            plugs.view.apply(seq, kind, ids, found[kind])
        if Provider in wanted:
            self._allow()
        self._rim.applied(plugs.view.seq)
        if Key in wanted:
            self._rim.say("view_applied", "debug", seq=seq, changes=sum(len(ids) for ids in wanted.values()))

    async def _take_keys(self, found: dict[type[Struct], Sequence[Struct]]) -> None:
        """Follow the vault to its new keys. Where it does not open, all else is still heard: revocations above all."""
        try:
            credentials = await self._reread(found.get(Credential, ()))
        except (CannotOpen, StartFailure) as error:
            self._rim.failure("vault_not_opened", error, seq=self.plugs.view.seq)
            return
        if Credential in found:
            found[Credential] = credentials
        if SealedKey in found:
            self.plugs.fingerprints = Fingerprints(self._unsealed.peppers())


def outward_of(settings: Settings) -> Outward:
    """How calls leave, as HTTPS_PROXY and its like say."""
    said = settings.upstream
    return Outward(read_proxy(said.https_proxy), read_proxy(said.http_proxy), read_bypass(said.no_proxy))


def identity_of(thing: Struct) -> str:
    """What an object is called in the change log."""
    from clavero.adapters.storage.rows import identity

    return identity(thing)


def _is_bare(root: Path) -> bool:
    """Whether no worker has ever written a journal here."""
    return not any(root.glob("*/"))


def kind_of(word: str) -> type[Struct] | None:
    """The struct that a word of the change log names."""
    from clavero.adapters.storage.rows import BY_KIND

    stored = BY_KIND.get(word)
    return stored.type if stored is not None else None


def data_of(settings: Settings) -> Path:
    """The data directory, whole."""
    return settings.data.resolve()
