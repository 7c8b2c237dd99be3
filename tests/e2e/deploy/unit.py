"""A unit file read as systemd reads it: sections, repeated names, and the specifiers that ours uses."""

import shlex
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Unit:
    """Section and name to values, in their order; an empty value forgets those before it."""

    values: dict[tuple[str, str], list[str]]

    def all(self, name: str, section: str = "Service") -> list[str]:
        """Every value of a name."""
        return self.values.get((section, name), [])

    def one(self, name: str, section: str = "Service") -> str:
        """The value that counts."""
        return self.all(name, section)[-1]

    def environment(self, specifiers: dict[str, str]) -> dict[str, str]:
        """What the unit sets, with `%S` and its like replaced."""
        words = [word for line in self.all("Environment") for word in shlex.split(line)]
        return dict(expanded(word, specifiers).split("=", 1) for word in words)


def read(file: Path) -> Unit:
    """A unit, or a drop-in."""
    values: dict[tuple[str, str], list[str]] = {}
    section = ""
    for raw in file.read_text("utf-8").splitlines():
        line = raw.strip()
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith(("#", ";")):
            name, equals, value = line.partition("=")
            assert equals, line
            values.setdefault((section, name.strip()), []).append(value.strip())
    return Unit(values)


def expanded(text: str, specifiers: dict[str, str]) -> str:
    """A text with its specifiers replaced."""
    for letter, value in specifiers.items():
        text = text.replace(f"%{letter}", value)
    assert "%" not in text, text
    return text
