import pytest

from clavero.bootstrap.held import Held
from clavero.domain.startup import StartFailure


async def test_a_seal_that_was_only_opened_to_look_is_not_changed() -> None:
    seal = Held([b"k" * 32])
    assert seal.roots == (b"k" * 32,)
    assert "kkk" not in repr(seal)
    with pytest.raises(StartFailure):
        await seal.add_root()
    with pytest.raises(StartFailure):
        await seal.keep_root("rk_1", 1)
