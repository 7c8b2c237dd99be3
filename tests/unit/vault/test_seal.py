import os
from pathlib import Path

import pytest

from clavero.domain.secret import mask
from clavero.domain.startup import StartFailure
from clavero.vault.keyring import RootKeys
from clavero.vault.seal import OpenSeal, PlainSeal, create, is_plain, unlock
from clavero.vault.seal_file import SealFile

ONE, TWO = b"\1" * 32, b"\2" * 32


@pytest.fixture
def file(tmp_path: Path) -> SealFile:
    return SealFile(tmp_path / "seal" / "root.key")


@pytest.fixture
def seal(file: SealFile) -> OpenSeal:
    return create(file, PlainSeal(), os.urandom)


def again(file: SealFile) -> RootKeys:
    """What a later start reads."""
    return unlock(file, PlainSeal(), file.read(), os.urandom).keys


@pytest.mark.parametrize("values", [[ONE], [ONE, TWO]], ids=["one", "two"])
def test_what_was_wrapped_is_unwrapped(values: list[bytes]) -> None:
    keys = RootKeys.of(values)
    assert PlainSeal().unwrap(PlainSeal().wrap(keys), "f") == keys


def test_a_file_of_the_first_release_is_still_read() -> None:
    content = b"clavero-root-key-v1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=\n"
    assert PlainSeal().unwrap(content, "f") == RootKeys.of([ONE])
    assert PlainSeal().wrap(RootKeys.of([ONE])) == content
    assert is_plain(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"clavero-root-key-v1:",
        b"clavero-root-key-v1:AAAA\n",
        b"x" * 300,
        b"\0" * 64,
        b"clavero-root-key-v2:" + b"A" * 43 + b"=\n",
        PlainSeal().wrap(RootKeys.of([ONE])) * 2,
        PlainSeal().wrap(RootKeys.of([ONE])) + b"and more\n",
        b"".join(PlainSeal().wrap(RootKeys.of([bytes([n]) * 32])) for n in range(5)),
    ],
    ids=["empty", "blank", "bare", "short", "text", "zeros", "v2", "twice", "tail", "many"],
)
def test_a_file_that_holds_no_key_is_refused_by_name(content: bytes) -> None:
    with pytest.raises(StartFailure, match=r"the\.file holds no root key") as caught:
        PlainSeal().unwrap(content, "the.file")
    assert caught.value.code == "seal_malformed"


def test_the_file_would_be_masked_in_a_log() -> None:
    content = PlainSeal().wrap(RootKeys.of([b"\7" * 32])).decode()
    assert "BwcHBwcHBwc" in content
    assert "BwcHBwcHBwc" not in mask(content)


def test_a_new_root_key_is_on_the_disk_behind_the_old_one_before_anybody_has_it(seal: OpenSeal, file: SealFile) -> None:
    old = seal.keys
    both = seal.add()
    assert both.keys[0].id == old.keys[0].id
    assert len(set(both.ids)) == 2
    assert again(file) == both == seal.keys


def test_asking_twice_makes_one_new_root_key(seal: OpenSeal, file: SealFile) -> None:
    both = seal.add()
    assert seal.add() == both == again(file)


def test_the_others_are_destroyed_and_asking_again_does_nothing(seal: OpenSeal, file: SealFile) -> None:
    new = seal.add().keys[1]
    assert seal.keep_only(new.id).values == (new.value,)
    assert again(file).values == (new.value,)
    assert seal.keep_only(new.id).values == (new.value,)
    assert seal.keep_only("rk_none").values == (new.value,)


@pytest.mark.parametrize("act", ["add", "keep"])
def test_a_disk_that_refuses_leaves_file_and_memory_as_they_were(
    seal: OpenSeal, file: SealFile, monkeypatch: pytest.MonkeyPatch, act: str
) -> None:
    if act == "keep":
        seal.add()
    before = seal.keys

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", fail)
        with pytest.raises(StartFailure):
            seal.add() if act == "add" else seal.keep_only(before.ids[1])
    assert seal.keys == before == again(file)


def test_no_key_is_seen_by_accident(seal: OpenSeal) -> None:
    shown = f"{seal} {seal!r} {seal.keys!r}"
    assert repr(seal.keys.values[0])[2:-1] not in shown
    assert seal.keys.ids[0] in shown
