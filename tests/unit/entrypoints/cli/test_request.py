import pytest

from clavero.entrypoints.cli.request import status_cell


@pytest.mark.parametrize(("status", "meaning"), [(200, "ok"), (404, "warn"), (429, "warn"), (500, "bad"), (504, "bad")])
def test_a_status_has_the_colour_of_whose_fault_it_is(status: int, meaning: str) -> None:
    cell = status_cell(status)
    assert (cell.text, cell.meaning) == (str(status), meaning)
