import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from clavero.domain.startup import StartFailure
from clavero.vault.seal_file import SealFile

CONTENT, OTHER = b"what it holds\n", b"something else, and longer\n"


@pytest.fixture
def seal(tmp_path: Path) -> SealFile:
    return SealFile(tmp_path / "data" / "seal" / "root.key")


def refused(seal: SealFile) -> StartFailure:
    with pytest.raises(StartFailure) as caught:
        seal.read()
    assert caught.value.fix
    return caught.value


def test_it_is_created_for_its_owner_alone_and_read_again(seal: SealFile) -> None:
    seal.create(CONTENT, os.urandom)
    assert stat.S_IMODE(seal.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(seal.path.parent.stat().st_mode) == 0o700
    assert seal.read() == CONTENT


def test_nothing_but_the_file_is_left_in_the_directory(seal: SealFile) -> None:
    seal.create(CONTENT, os.urandom)
    assert [file.name for file in seal.path.parent.iterdir()] == ["root.key"]


def test_a_permissive_umask_changes_nothing(seal: SealFile) -> None:
    before = os.umask(0)
    try:
        seal.create(CONTENT, os.urandom)
    finally:
        os.umask(before)
    assert stat.S_IMODE(seal.path.stat().st_mode) == 0o600


def test_a_root_key_is_never_written_over(seal: SealFile) -> None:
    seal.create(CONTENT, os.urandom)
    with pytest.raises(StartFailure) as caught:
        seal.create(CONTENT, os.urandom)
    assert caught.value.code == "seal_exists"
    assert seal.read() == CONTENT
    assert len(list(seal.path.parent.iterdir())) == 1


def test_a_dangling_link_in_its_place_is_not_followed(seal: SealFile, tmp_path: Path) -> None:
    seal.path.parent.mkdir(parents=True)
    seal.path.symlink_to(tmp_path / "elsewhere")
    assert seal.exists()
    with pytest.raises(StartFailure):
        seal.create(CONTENT, os.urandom)
    assert refused(seal).code == "seal_unusable"
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.parametrize("mode", [0o604, 0o640, 0o620, 0o660, 0o644, 0o777])
def test_a_key_that_others_can_read_or_write_is_refused(seal: SealFile, mode: int) -> None:
    seal.create(CONTENT, os.urandom)
    seal.path.chmod(mode)
    failure = refused(seal)
    assert failure.code == "seal_permissions"
    assert failure.fix == f"chmod 600 {seal.path}"


def test_a_key_of_another_owner_is_refused(seal: SealFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who runs clavero is changed here, not the file's owner: that needs root."""
    seal.create(CONTENT, os.urandom)
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    assert refused(seal).code == "seal_owner"


def test_a_missing_key_is_said_and_not_replaced(seal: SealFile) -> None:
    assert refused(seal).code == "seal_missing"
    assert not seal.exists()


def test_a_directory_or_pipe_in_its_place_is_refused_without_waiting(seal: SealFile) -> None:
    seal.path.mkdir(parents=True)
    assert refused(seal).code in {"seal_unusable", "seal_permissions"}
    seal.path.rmdir()
    os.mkfifo(seal.path, 0o600)
    assert refused(seal).code == "seal_unusable"


def test_a_place_that_cannot_be_written_is_one_failure(tmp_path: Path) -> None:
    (tmp_path / "seal").write_text("a file where the directory should be")
    with pytest.raises(StartFailure) as caught:
        SealFile(tmp_path / "seal" / "root.key").create(CONTENT, os.urandom)
    assert caught.value.code == "seal_unusable"


def test_a_write_that_stops_half_way_leaves_no_key(seal: SealFile, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, as the system reports it: a short write."""
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: write(descriptor, content[:10]))
    with pytest.raises(StartFailure):
        seal.create(CONTENT, os.urandom)
    assert not list(seal.path.parent.iterdir())


def drafts(seal: SealFile) -> list[str]:
    return [file.name for file in seal.path.parent.iterdir() if file != seal.path]


def test_it_is_replaced_whole_and_nothing_else_is_left(seal: SealFile) -> None:
    seal.create(CONTENT, os.urandom)
    seal.replace(OTHER, os.urandom)
    assert seal.read() == OTHER
    assert stat.S_IMODE(seal.path.stat().st_mode) == 0o600
    assert drafts(seal) == []


def test_what_was_replaced_is_written_over(seal: SealFile, tmp_path: Path) -> None:
    """A second name shows what became of the old bytes."""
    seal.create(CONTENT, os.urandom)
    os.link(seal.path, tmp_path / "kept")
    seal.replace(OTHER, os.urandom)
    assert (tmp_path / "kept").read_bytes() == bytes(len(CONTENT))


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_a_replacement_that_fails_leaves_the_old_one(
    seal: SealFile, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    seal.create(CONTENT, os.urandom)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path if call == "replace" else os, call, fail)
        with pytest.raises(StartFailure) as caught:
            seal.replace(OTHER, os.urandom)
    assert "No space left" in caught.value.message
    assert seal.read() == CONTENT
    assert drafts(seal) == []


def test_drafts_of_a_process_that_was_killed_are_written_over_and_go(seal: SealFile, tmp_path: Path) -> None:
    seal.create(CONTENT, os.urandom)
    draft = seal.path.with_name(".root.key.00112233")
    draft.write_bytes(OTHER)
    os.link(draft, tmp_path / "kept")
    seal.tidy()
    assert drafts(seal) == []
    assert seal.read() == CONTENT
    assert (tmp_path / "kept").read_bytes() == bytes(len(OTHER))


def test_tidying_where_there_is_nothing_is_no_error(seal: SealFile) -> None:
    seal.tidy()
    assert not seal.exists()


KILLED = """
import os, signal, sys
from hashlib import sha256
from pathlib import Path
from clavero.vault import passphrase
from clavero.domain.secret import Secret
from clavero.vault.passphrase import LEAST, PassphraseSeal
from clavero.vault.seal import PlainSeal, create, is_plain, unlock
from clavero.vault.seal_file import SealFile

passphrase.derive = lambda given, salt, cost: sha256(salt).digest()  # what it costs is not the question here
CALLS = ("write", "fsync", "pwrite", "close", "rename", "unlink", "open")

def seal(kind):
    return PlainSeal() if kind == "plain" else PassphraseSeal(lambda: Secret("correct horse battery"), os.urandom, LEAST)

def act(what, file):
    content = file.read()
    opened = unlock(file, seal("plain" if is_plain(content) else "passphrase"), content, os.urandom)
    if what == "move":
        opened.move(seal("passphrase" if is_plain(content) else "plain"))
    else:
        opened.keep_only(opened.add().ids[1])

def killed(what, file, left):
    def counted(work):
        def call(*args, **more):
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return work(*args, **more)
        return call
    for name in CALLS:
        setattr(os, name, counted(getattr(os, name)))
    Path.replace, Path.unlink = counted(Path.replace), counted(Path.unlink)
    act(what, file)
    os._exit(0)

def one(what, kind, folder, point):
    file = SealFile(folder / f"{what}-{kind}-{point}")
    before = create(file, seal(kind), os.urandom).keys
    pid = os.fork()
    if pid == 0:
        killed(what, file, [point])
    survived = os.waitpid(pid, 0)[1] == 0
    file.tidy()
    content = file.read()
    keys = unlock(file, seal("plain" if is_plain(content) else "passphrase"), content, os.urandom).keys
    kept = keys == before if what == "move" else survived or before.ids[0] in keys.ids or len(keys.ids) == 1
    others = [path for path in folder.iterdir() if path.name.startswith("." + file.path.name + ".")]
    assert kept and not others, (what, kind, point, keys, others)
    return survived

points = 0
for what in ("move", "rekey"):
    for kind in ("plain", "passphrase"):
        point = 0
        while not one(what, kind, Path(sys.argv[1]), point):
            point += 1
        points += point
print(points)
"""


def test_a_process_killed_before_any_system_call_leaves_a_seal_that_opens(tmp_path: Path) -> None:
    """Moving between seals, and adding and destroying root keys: killed at every point there is."""
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 40
