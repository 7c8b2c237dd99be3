"""A witness in a git repository, with a real git and a real remote."""

import subprocess
from pathlib import Path

import pytest

from clavero.adapters.witness.git import GitWitness
from clavero.domain.checkpoints import Checkpoint


def checkpoint(seq: int) -> Checkpoint:
    return Checkpoint(seq=seq, at_ns=seq, instance="i", hashes=("a" * 64,))


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True, timeout=30)
    return done.stdout.strip()


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """The repository that somebody else holds, with nothing in it yet."""
    place = tmp_path / "theirs.git"
    place.mkdir()
    git(place, "init", "--quiet", "--bare", "--initial-branch", "trail")
    return place


@pytest.fixture
def clone(tmp_path: Path, remote: Path) -> Path:
    git(tmp_path, "clone", "--quiet", str(remote), "ours")
    return tmp_path / "ours"


def test_each_checkpoint_is_a_commit_that_somebody_else_has(clone: Path, remote: Path) -> None:
    witness = GitWitness(clone)
    assert witness.newest() is None
    for seq in (1, 2):
        witness.keep(checkpoint(seq))
    assert list(GitWitness(clone).all()) == [checkpoint(1), checkpoint(2)]
    assert witness.newest() == checkpoint(2)
    assert git(remote, "log", "--format=%s %an", "trail").splitlines() == [
        "Rows 2 to 2 clavero",
        "Rows 1 to 1 clavero",
    ]
    assert git(remote, "show", "trail:checkpoints.jsonl") == (clone / "checkpoints.jsonl").read_text().strip()


def test_what_could_not_be_pushed_is_pushed_the_next_time_and_stands_there_once(clone: Path, remote: Path) -> None:
    witness = GitWitness(clone)
    witness.keep(checkpoint(1))
    away = remote.rename(remote.with_name("away.git"))
    with pytest.raises(OSError, match="git push"):
        witness.keep(checkpoint(2))
    away.rename(remote)
    witness.keep(checkpoint(2))
    witness.keep(checkpoint(3))
    assert [one.seq for one in witness.all()] == [1, 2, 3]
    assert git(remote, "rev-list", "--count", "trail") == "3"


def test_a_repository_without_a_remote_keeps_commits(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "alone")
    GitWitness(tmp_path / "alone").keep(checkpoint(1))
    assert git(tmp_path / "alone", "rev-list", "--count", "HEAD") == "1"


def test_a_history_that_they_changed_is_not_pushed_over(clone: Path, remote: Path, tmp_path: Path) -> None:
    witness = GitWitness(clone)
    witness.keep(checkpoint(1))
    git(tmp_path, "clone", "--quiet", str(remote), "third")
    git(
        tmp_path / "third", "-c", "user.name=eve", "-c", "user.email=eve@localhost",
        "commit", "--quiet", "--amend", "-m", "nothing to see",
    )  # fmt: skip
    git(tmp_path / "third", "push", "--quiet", "--force")
    with pytest.raises(OSError, match="git push"):
        witness.keep(checkpoint(2))


def test_a_folder_that_is_no_repository_is_named(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="is no git repository"):
        GitWitness(tmp_path).keep(checkpoint(1))
    with pytest.raises(OSError, match="is no git repository"):
        GitWitness(tmp_path).all()
