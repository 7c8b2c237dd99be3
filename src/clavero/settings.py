"""How this process runs: read once, frozen, nested by topic. Flag over `CLAVERO_*` over `clavero.toml` over default.

pydantic would weigh on the gateway worker, so the reader is our own and small.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything a process of clavero is told at its start."""

    data_dir: Path = Path("clavero-data")
