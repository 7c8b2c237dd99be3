from pathlib import Path

from tests.unit.control.desk import open_desk
from tests.unit.control.drives import PROVIDER, do

from clavero.control import credentials, rekey
from clavero.control.vault_status import keep_seal_known, read_status
from clavero.domain.access import SYSTEM
from clavero.domain.audit import AuditRow
from clavero.domain.sealing import RekeyState
from clavero.domain.secret import Secret
from clavero.testing.unsealer import MemoryUnsealer


async def test_a_quiet_vault_tells_its_seal_its_keys_and_its_counts(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await keep_seal_known(desk)
        await do(desk, credentials.add_provider, provider=PROVIDER)
        for letter in "ab":
            await do(desk, credentials.add_credential, provider="house", secret=Secret("sk-" + letter * 30))
        status = await read_status(desk, verify=True)
        (root,) = status.held
        assert (status.seal, status.root, status.check, status.stuck) == ("file", root, "", "")
        assert (status.cells, status.keys, status.outdated) == ({root: 2}, {root: 2}, 0)
        assert status.unreadable == ()
        assert status.rekey is None
        assert [(one.tenant, one.version, one.versions) for one in status.tenants] == [("default", 1, 1)]
        assert status.seal_since_ns > 0
        assert status.root_since_ns > 0


async def test_a_move_under_way_tells_what_is_left(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        await do(desk, credentials.add_provider, provider=PROVIDER)
        await do(desk, credentials.add_credential, provider="house", secret=Secret("sk-" + "a" * 30))
        old = (await read_status(desk)).root
        move = await rekey.start(desk, SYSTEM, rekey.Wanted(root=True))
        await desk.vault.unsealer.add_root()
        await do(desk, rekey.enter, rekey=move.id)
        status = await read_status(desk)
        assert status.rekey is not None
        assert (status.rekey.state, status.rekey.cells, status.outdated) == (RekeyState.RUNNING, 1, 1)
        assert status.cells == {old: 1}
        assert status.keys == {status.root: 2}
        assert status.root != old
        assert status.unreadable is None


async def test_a_seal_that_was_moved_while_nothing_ran_is_in_the_audit_trail_once(tmp_path: Path) -> None:
    async with open_desk(tmp_path) as desk:
        assert isinstance(desk.vault.unsealer, MemoryUnsealer)
        for kind in ("file", "file", "passphrase", "passphrase"):
            desk.vault.unsealer.kind = kind
            await keep_seal_known(desk)
        async with desk.store.read() as look:
            trail = await look.find(AuditRow)
        assert [(row.action, row.reason) for row in trail] == [
            ("vault.seal", "file"), ("vault.seal", "file to passphrase"),
        ]  # fmt: skip
