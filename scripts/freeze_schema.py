"""Keep the schema of this version as SQL, beside those of the versions before it."""

from pathlib import Path

from clavero.adapters.storage import migrations
from clavero.adapters.storage.frozen import name, written
from clavero.adapters.storage.ledger_sql import Dialect


def main() -> None:
    """Write one file for each database; files of earlier versions are never touched."""
    folder = Path(str(migrations.__file__)).parent / "schema"
    folder.mkdir(exist_ok=True)
    for dialect in Dialect:
        (folder / name(dialect)).write_text(written(dialect), "utf-8")


if __name__ == "__main__":
    main()
