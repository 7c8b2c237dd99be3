import os

from clavero.domain.tokens import Kind, mint
from clavero.entrypoints.http.console.messages import Messages
from clavero.entrypoints.http.console.snippets import masked, snippets


def test_the_page_shows_the_ends_of_a_key_and_dots_between() -> None:
    kid, secret = mint(Kind.VIRTUAL_KEY, "prod", os.urandom)
    shown = masked(secret.reveal())
    assert shown.startswith(f"clvk_prod_{kid}_•")
    assert shown.endswith(secret.reveal()[-7:])
    assert secret.reveal()[-49:-7] not in shown


def test_every_form_holds_the_address_and_the_key_once() -> None:
    for one in snippets("http://127.0.0.1:4141", "KEY", "gpt-4o-mini", Messages("en")):
        assert "http://127.0.0.1:4141/v1" in one.text
        assert one.text.count("KEY") - one.text.count("_API_KEY") == 1


def test_the_python_form_is_python() -> None:
    made = {one.id: one for one in snippets("http://127.0.0.1:4141", "KEY", "gpt-4o-mini", Messages("es"))}
    compile(made["python"].text, "snippet", "exec")
