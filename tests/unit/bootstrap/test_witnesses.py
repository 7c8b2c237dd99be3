from pathlib import Path

from clavero.bootstrap.witnesses import witnesses_of
from clavero.settings import read


def test_there_is_always_one_beside_the_database_and_each_that_is_named(tmp_path: Path) -> None:
    told: dict[str, object] = {"storage.data_dir": str(tmp_path)}
    settings, _ = read(told, {}, tmp_path / "none.toml")
    assert [one.name for one in witnesses_of(settings)] == [f"{tmp_path}/audit/checkpoints.jsonl"]
    settings, _ = read(
        told | {"audit.witness": "/mnt/a.jsonl, git:/srv/trail, s3://trail/prod"}, {}, tmp_path / "none.toml"
    )
    assert [one.name for one in witnesses_of(settings)][1:] == ["/mnt/a.jsonl", "git:/srv/trail", "s3://trail/prod"]
