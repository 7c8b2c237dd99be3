"""A collector is told every row, in order, and what was restored from its restore on."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from tests.unit.control.desk import open_desk
from tests.unit.control.trail import change, put_back, spoil

from clavero.adapters.witness.mark import FileMark
from clavero.control import follow
from clavero.control.checkpoints import Trouble
from clavero.control.commit import Desk
from clavero.control.follow import Follower
from clavero.domain.audit import AuditRow


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with open_desk(tmp_path) as opened:
        yield opened


class Heard:
    """A collector that can be away, or be cut off behind some rows."""

    def __init__(self) -> None:
        self.name = "heard"
        self.rows: list[AuditRow] = []
        self.here = True

    def tell(self, rows: Sequence[AuditRow]) -> None:
        if not self.here:
            raise ConnectionRefusedError(111, "connection refused")
        self.rows += rows

    def close(self) -> None: ...

    @property
    def seqs(self) -> list[int]:
        return [row.seq for row in self.rows]


def follower(desk: Desk, heard: Heard, folder: Path, said: list[Trouble] | None = None) -> Follower:
    return Follower(desk, heard, FileMark(folder / "told.json"), (said if said is not None else []).append)


async def test_each_row_is_told_once_in_order_across_starts(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "MOST_ROWS", 2)
    heard = Heard()
    await change(desk, "a", "b", "c")
    one = follower(desk, heard, tmp_path)
    while await one.step():
        pass
    first = heard.seqs
    assert first == list(range(1, len(first) + 1))
    assert [row.object_id for row in heard.rows][-3:] == ["a", "b", "c"]
    await change(desk, "d")
    again = follower(desk, heard, tmp_path)
    assert await again.step() == 1
    assert await again.step() == 0
    assert heard.seqs == [*first, len(first) + 1]


async def test_who_is_away_is_told_later_and_that_is_said_once(desk: Desk, tmp_path: Path) -> None:
    heard, said = Heard(), list[Trouble]()
    one = follower(desk, heard, tmp_path, said)
    await change(desk, "a")
    heard.here = False
    assert await one.step() == 0
    assert await one.step() == 0
    assert said == [Trouble("collector_failed", "heard: connection refused")]
    heard.here = True
    assert await one.step() > 0
    assert heard.seqs == sorted(set(heard.seqs))


async def test_a_mark_that_is_lost_tells_all_again(desk: Desk, tmp_path: Path) -> None:
    heard = Heard()
    await change(desk, "a")
    await follower(desk, heard, tmp_path).step()
    count = len(heard.rows)
    (tmp_path / "told.json").write_text('{"seq":')
    await follower(desk, heard, tmp_path).step()
    assert heard.seqs == [*range(1, count + 1)] * 2


async def test_behind_a_restore_the_telling_begins_with_the_row_that_says_so(desk: Desk, tmp_path: Path) -> None:
    heard = Heard()
    one = follower(desk, heard, tmp_path)
    await change(desk, "a", "b", "c")
    await one.step()
    last = heard.seqs[-1]
    await spoil(desk, f"DELETE FROM audit WHERE seq >= {last}")
    await put_back(desk, "b.clavero; epoch 2; 0 frames")
    await change(desk, "e")
    await one.step()
    assert heard.seqs[-2:] == [last, last + 1]
    assert heard.rows[-2].action == "db.restore"
