"""After a restore (L31): unknown journals are registered, all are read, boots closed, and only then is money granted.

What the journals still hold is posted again, exactly once, because the restored database says how far it had read
them. What was removed since is a gap: nobody can say what was spent in it, so an operator is told.
"""

from typing import Protocol

from msgspec import Struct

from clavero.control.ingest import Ingest
from clavero.domain.epochs import Look, Mark, Standing, standing
from clavero.domain.ledger import Boot, BootId, Place, Position
from clavero.ports.journal import Journals
from clavero.ports.ledger import Books


class Epochs(Protocol):
    """The marks in the database and beside it. Blocking; `ConnectionError` where the database is away."""

    def look(self) -> Look: ...  # noqa: D102 - told where it is implemented

    def keep(self, mark: Mark) -> None: ...  # noqa: D102

    def begin(self, now_is: int, following: int) -> bool: ...  # noqa: D102

    def adopt(self, boots: list[BootId], place: Place) -> list[BootId]: ...  # noqa: D102

    def skip(self, boot: BootId, at: Position, to: Position) -> None: ...  # noqa: D102

    def excess(self) -> int: ...  # noqa: D102

    def close(self) -> None: ...  # noqa: D102


class Resumable(Journals, Protocol):
    """Journals that can be read on behind a gap."""

    def resume(self, boot: BootId, after: Position) -> Position | None:
        """Where the next segment that is there begins, behind one that is gone or cannot be read; None for none."""
        ...


class Gap(Struct, frozen=True):
    """A piece of a boot's journal that is not there any more, or cannot be read."""

    boot: BootId
    reason: str


class Recovered(Struct, frozen=True):
    """What reading the journals again has brought; amounts in nano-USD."""

    epoch: int
    journals: int = 0  # that were read
    adopted: int = 0  # of those, unknown to the database
    frames: int = 0
    excess_n: int = 0  # committed beyond limits by what was read
    gaps: tuple[Gap, ...] = ()
    elsewhere: int = 0  # open boots whose journals are not on this machine

    @property
    def is_restore(self) -> bool:
        """Whether a database came back, and not just a start found nothing kept."""
        return self.epoch > 1 or bool(self.adopted and self.frames)


class Recovery:
    """Brings this machine's journals and a restored database together; `alone` says that no other has any."""

    def __init__(self, epochs: Epochs, journals: Resumable, books: Books, ingest: Ingest, *, alone: bool) -> None:
        self._epochs = epochs
        self._journals = journals
        self._books = books
        self._ingest = ingest  # one that removes no segment
        self._alone = alone

    def is_same(self) -> bool:
        """Look, and keep how far the database has come; False where it went back, or another machine has restored it.

        Whoever reads journals then begins anew: what it remembers of the database may be of another history.
        """
        look = self._epochs.look()
        if standing(look) is not Standing.SAME:
            return False
        if look.found != look.kept:
            self._epochs.keep(look.found)
        return True

    def run(self) -> Recovered | None:
        """Look, and do what has to be done; None where the database has not gone back."""
        look = self._epochs.look()
        now = standing(look)
        if now is Standing.SAME:
            return None
        if now is Standing.BACK:
            kept = look.kept.epoch if look.kept else 0
            self._epochs.begin(look.found.epoch, max(kept, look.found.epoch) + 1)
        return self._read_again()

    def close(self) -> None:
        """Let the database go."""
        self._epochs.close()

    def _read_again(self) -> Recovered:
        before = self._epochs.excess()
        adopted = self._epochs.adopt(list(self._journals.boots()), self._journals.place)
        frames, gaps, elsewhere, journals = 0, [], 0, 0
        for boot in self._books.boots()[1]:
            if boot.place.home == self._journals.place.home:
                read, found = self._read(boot)
                frames, journals = frames + read, journals + 1
                gaps += found
            else:
                elsewhere += 1
                if self._alone:  # nobody will ever read them
                    self._books.close_boot(boot.id, boot.at, complete=False)
        look = self._epochs.look()
        self._epochs.keep(look.found)
        excess = self._epochs.excess() - before
        return Recovered(look.found.epoch, journals, len(adopted), frames, excess, tuple(gaps), elsewhere)

    def _read(self, boot: Boot) -> tuple[int, list[Gap]]:
        """Read a boot to its end, over its gaps, and close it where it is dead."""
        frames, gaps = 0, list[Gap]()
        # Nobody is left of those who had the lock: their supervisor is gone, or this one has fenced them.
        with self._journals.proof_of_death(boot.id, rebooted=True) as dead:
            now: Boot | None = boot
            while now is not None:
                boot, turned = now, self._ingest.turn(now)
                frames += turned.frames
                if turned.frames or not turned.ended:
                    now = self._again(boot)
                    continue
                if turned.damage:
                    gaps.append(Gap(boot.id, turned.damage))
                following = self._journals.resume(boot.id, boot.at) if turned.damage else None
                if following is None:
                    break
                self._epochs.skip(boot.id, boot.at, following)
                now = self._again(boot)
            if dead and now is not None:
                self._books.close_boot(boot.id, boot.at, complete=not gaps and self._whole(boot))
        return frames, gaps

    def _whole(self, boot: Boot) -> bool:
        """Whether what was read can be all that was written."""
        here = self._journals.place.kernel_boot
        return boot.consumed >= boot.tail and (boot.sealed or boot.place.durable or boot.place.kernel_boot == here)

    def _again(self, boot: Boot) -> Boot | None:
        """The boot as the database knows it now; None where somebody else has closed it."""
        return next((one for one in self._books.boots()[1] if one.id == boot.id), None)
