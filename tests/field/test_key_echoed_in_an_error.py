"""A full key came back in an error's text, and from there reached logs (BerriAI/litellm#25203).

Every problem, with every fact it can carry set to a key of each known form, in every dialect and language, whole and
in a stream: no byte of a secret part goes out.
"""

import string

import pytest

from clavero.domain.catalogue import problems
from clavero.entrypoints.http.errors import Dialect, render, render_event

SECRET = "".join(string.ascii_letters[place % 52] for place in range(7, 50))
KEYS = {
    "ours": f"clvk_prod_0123456789AB_{SECRET}000000",
    "openai": f"sk-proj-{SECRET}",
    "anthropic": f"sk-ant-api03-{SECRET}",
    "google": f"AIza{SECRET}",
    "perplexity": f"pplx-{SECRET}",
    "header": f"Bearer {SECRET}",
}


@pytest.mark.parametrize("code", problems())
@pytest.mark.parametrize("key", KEYS.values(), ids=KEYS)
def test_no_fact_of_any_problem_carries_a_key_out(code: str, key: str) -> None:
    kind = problems()[code]
    wanted = {name for _, name, _, _ in string.Formatter().parse(kind.__doc__ or "") if name}
    facts = dict.fromkeys(wanted | {"name", "owner", "list", "guess", "k", "resets_at", "example"}, f"x {key} y")
    for dialect in Dialect:
        for language in ("en", "es"):
            _, headers, body = render(kind(**facts), dialect, "req_1", language)
            whole = body + render_event(kind(**facts), dialect, "req_1", language) + repr(headers).encode()
            assert SECRET.encode() not in whole
