from clavero.entrypoints.cli.lists import names


def test_names_stand_in_several_options_or_between_commas_each_once() -> None:
    assert names(["gpt-4o, gpt-5", "gpt-4o", ",o4-*,"]) == ("gpt-4o", "gpt-5", "o4-*")


def test_nothing_given_is_nothing() -> None:
    assert names([]) == ()
    assert names(["", " , "]) == ()
