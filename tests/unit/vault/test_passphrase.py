import json
import os
from pathlib import Path
from typing import Any

import pytest

from clavero.domain.secret import Secret
from clavero.domain.startup import Exit, StartFailure
from clavero.vault.keyring import RootKeys
from clavero.vault.passphrase import LEAST, MOST, Cost, PassphraseSeal, check_strength, derive
from clavero.vault.seal import PlainSeal, create, is_plain, unlock
from clavero.vault.seal_file import SealFile

WORDS = Secret("correct horse battery staple")
KEYS = RootKeys.of([b"\1" * 32, b"\2" * 32])


def seal(passphrase: Secret = WORDS) -> PassphraseSeal:
    """The cheapest that is allowed: these tests try many."""
    return PassphraseSeal(lambda: passphrase, os.urandom, LEAST)


def never() -> Secret:
    raise AssertionError("nobody should have been asked")


def refusal(content: bytes, passphrase: Secret = WORDS) -> StartFailure:
    with pytest.raises(StartFailure) as caught:
        seal(passphrase).unwrap(content, "the.file")
    return caught.value


@pytest.mark.parametrize("count", [1, 2])
def test_what_was_wrapped_is_unwrapped_by_the_same_passphrase(count: int) -> None:
    keys = RootKeys.of(KEYS.values[:count])
    content = seal().wrap(keys)
    assert seal().unwrap(content, "f") == keys
    assert not is_plain(content)


def test_a_wrong_passphrase_is_one_plain_line() -> None:
    failure = refusal(seal().wrap(KEYS), Secret("correct horse battery stapler"))
    assert failure.code == "wrong_passphrase"
    assert failure.message == "the passphrase does not open the.file"
    assert failure.exit_code is Exit.CANNOT_START
    assert "Nothing was changed" in failure.fix


def test_the_file_says_kind_and_cost_and_nothing_secret() -> None:
    content = seal().wrap(KEYS)
    told = json.loads(content)
    assert (told["seal"], told["argon2id"]) == ("passphrase", {"memory_kib": 19456, "passes": 2, "lanes": 1})
    assert b"\1" * 8 not in content
    assert b"AQEBAQEB" not in content
    assert WORDS.reveal().encode() not in content


def test_two_files_of_one_passphrase_have_nothing_in_common() -> None:
    one, other = json.loads(seal().wrap(KEYS)), json.loads(seal().wrap(KEYS))
    assert one["salt"] != other["salt"]
    assert one["keys"] != other["keys"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("memory_kib", LEAST.memory_kib - 1), ("memory_kib", MOST.memory_kib + 1), ("memory_kib", 2**31),
        ("memory_kib", -1), ("passes", 1), ("passes", 10**6), ("lanes", 0), ("lanes", 10**6), ("lanes", "4"),
    ],
)  # fmt: skip
def test_a_cost_beyond_the_bounds_is_refused_before_anybody_is_asked(name: str, value: object) -> None:
    told: dict[str, Any] = json.loads(seal().wrap(KEYS))
    told["argon2id"][name] = value
    with pytest.raises(StartFailure) as caught:
        PassphraseSeal(never, os.urandom).unwrap(json.dumps(told).encode(), "f")
    assert caught.value.code == "seal_malformed"


def test_a_cost_that_was_altered_within_the_bounds_opens_nothing() -> None:
    told: dict[str, Any] = json.loads(seal().wrap(KEYS))
    told["argon2id"]["passes"] += 1
    assert refusal(json.dumps(told).encode()).code == "wrong_passphrase"


@pytest.mark.parametrize("field", ["salt", "keys"])
def test_a_file_altered_anywhere_opens_nothing(field: str) -> None:
    told: dict[str, Any] = json.loads(seal().wrap(KEYS))
    other = json.loads(seal().wrap(KEYS))
    assert refusal(json.dumps({**told, field: other[field]}).encode()).code == "wrong_passphrase"


@pytest.mark.parametrize(
    "content",
    [
        b"", b"{}", b"[]", b"null", b'{"seal":"passphrase"}', b'{"seal":"transit"}', b"\xff" * 40,
        json.dumps({**json.loads(seal().wrap(KEYS)), "format": "clavero/seal/2"}).encode(),
        json.dumps({**json.loads(seal().wrap(KEYS)), "salt": "AAAA"}).encode(),
        json.dumps({**json.loads(seal().wrap(KEYS)), "more": 1}).encode(),
        seal().wrap(KEYS)[:100],
    ],
    ids=["empty", "object", "list", "null", "bare", "kind", "bytes", "format", "salt", "more", "cut"],
)  # fmt: skip
def test_what_is_no_seal_is_refused_before_anybody_is_asked(content: bytes) -> None:
    with pytest.raises(StartFailure) as caught:
        PassphraseSeal(never, os.urandom).unwrap(content, "f")
    assert caught.value.code == "seal_malformed"


def test_the_passphrase_is_asked_for_once_however_often_the_file_is_written(tmp_path: Path) -> None:
    asked: list[int] = []

    def ask() -> Secret:
        asked.append(1)
        return WORDS

    file = SealFile(tmp_path / "root.key")
    create(file, seal(), os.urandom)
    opened = unlock(file, PassphraseSeal(ask, os.urandom), file.read(), os.urandom)
    new = opened.add().keys[1]
    opened.keep_only(new.id)
    assert len(asked) == 1
    assert unlock(file, seal(), file.read(), os.urandom).keys == RootKeys(new)


def test_moving_between_seals_keeps_the_root_keys(tmp_path: Path) -> None:
    file = SealFile(tmp_path / "root.key")
    opened = create(file, PlainSeal(), os.urandom)
    opened.move(seal())
    assert (opened.kind, is_plain(file.read())) == ("passphrase", False)
    assert unlock(file, seal(), file.read(), os.urandom).keys == opened.keys
    other = Secret("another passphrase altogether")
    opened.move(seal(other))
    assert refusal(file.read()).code == "wrong_passphrase"
    assert unlock(file, seal(other), file.read(), os.urandom).keys == opened.keys
    opened.move(PlainSeal())
    assert unlock(file, PlainSeal(), file.read(), os.urandom).keys == opened.keys


def test_a_move_that_the_disk_refuses_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = SealFile(tmp_path / "root.key")
    opened = create(file, PlainSeal(), os.urandom)

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", fail)
        with pytest.raises(StartFailure):
            opened.move(seal())
    assert opened.kind == "file"
    assert unlock(file, PlainSeal(), file.read(), os.urandom).keys == opened.keys


def test_letters_are_the_same_however_a_keyboard_composes_them() -> None:
    salt = bytes(16)
    assert derive(Secret("ma\u00f1ana"), salt, LEAST) == derive(Secret("man\u0303ana"), salt, LEAST)


def test_the_default_is_what_rfc_9106_recommends_and_lies_within_the_bounds() -> None:
    assert Cost() == Cost(memory_kib=65536, passes=3, lanes=4)
    content = PassphraseSeal(lambda: WORDS, os.urandom).wrap(KEYS)
    assert PassphraseSeal(lambda: WORDS, os.urandom).unwrap(content, "f") == KEYS


@pytest.mark.parametrize("text", ["", "short", "aaaaaaaaaaaaaaaaaaaa", "12345678901"])
def test_a_weak_passphrase_is_refused_and_not_said_back(text: str) -> None:
    with pytest.raises(StartFailure) as caught:
        check_strength(Secret(text))
    assert caught.value.code == "passphrase_weak"
    assert not text or text not in str(caught.value)


def test_nothing_shows_the_passphrase() -> None:
    one = seal()
    one.wrap(KEYS)
    assert "horse" not in f"{one} {one!r}"
