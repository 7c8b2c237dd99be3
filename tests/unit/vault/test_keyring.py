import os

import msgspec
import pytest

from clavero.domain.secret import Secret
from clavero.domain.startup import StartFailure
from clavero.vault.barrier import About
from clavero.vault.keyring import create, root_id, unlock

ABOUT = About("credential", "c", 1, "https://x:443")


def test_a_second_process_opens_what_the_first_sealed() -> None:
    root = os.urandom(32)
    stored = create(root, os.urandom, 1)
    sealed = unlock(root, stored).barrier.seal(Secret("x"), ABOUT)
    again = unlock(root, stored)
    assert again.barrier.open(sealed, ABOUT) == Secret("x")
    assert again.fingerprints.newest == 1


def test_a_wrong_root_key_is_one_plain_line_naming_both() -> None:
    right, wrong = os.urandom(32), os.urandom(32)
    with pytest.raises(StartFailure) as caught:
        unlock(wrong, create(right, os.urandom, 1))
    assert root_id(right) in caught.value.message
    assert root_id(wrong) in caught.value.message
    assert caught.value.code == "wrong_root_key"


def test_wrapped_keys_are_not_exchanged_for_each_other() -> None:
    root = os.urandom(32)
    tenant, pepper = create(root, os.urandom, 1)
    with pytest.raises(StartFailure):
        unlock(root, [msgspec.structs.replace(tenant, sealed=pepper.sealed), pepper])
