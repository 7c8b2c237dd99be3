import io

import pytest

from clavero.domain.startup import Exit
from clavero.entrypoints.cli.confirm import confirm
from clavero.entrypoints.cli.failure import Failure


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


def sitting(monkeypatch: pytest.MonkeyPatch, typed: str) -> Tty:
    shown = Tty()
    monkeypatch.setattr("sys.stdin", Tty(typed))
    monkeypatch.setattr("sys.stderr", shown)
    return shown


def test_the_typed_name_confirms(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = sitting(monkeypatch, "prod-mail-01\n")
    confirm("prod-mail-01", yes=False)
    assert "prod-mail-01" in shown.getvalue()


@pytest.mark.parametrize("typed", ["", "\n", "y\n", "prod-mail-02\n", "PROD-MAIL-01\n"])
def test_anything_else_changes_nothing(typed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sitting(monkeypatch, typed)
    with pytest.raises(Failure) as refused:
        confirm("prod-mail-01", yes=False)
    assert refused.value.exit_code is Exit.REFUSED


def test_yes_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    confirm("prod-mail-01", yes=True)


def test_without_a_terminal_it_is_a_usage_error_that_names_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("prod-mail-01\n"))
    with pytest.raises(Failure) as refused:
        confirm("prod-mail-01", yes=False)
    assert (refused.value.exit_code, refused.value.fix) == (Exit.USAGE, "--yes")
