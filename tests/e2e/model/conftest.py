from collections.abc import Iterator

import pytest
from tests.e2e.model.house import CHAT, EMBEDDINGS, House, introduce, let_in, serving
from tests.e2e.running import clean_environ, start


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A real model behind a real clavero, for all proofs with one."""
    home = tmp_path_factory.mktemp("model")
    with serving("chat", home / "chat.log") as chat, serving("embeddings", home / "embeddings.log") as embeddings:
        patience = {"CLAVERO_UPSTREAM_FIRST_BYTE_SECONDS": "120", "CLAVERO_UPSTREAM_IDLE_SECONDS": "20"}
        environ = clean_environ(home) | patience  # a busy machine thinks slowly
        running = start(home / "data", demo=False, environ=environ)
        try:
            introduce(running, "gemma", chat, CHAT)
            introduce(running, "gemma-vectors", embeddings, EMBEDDINGS)
            yield House(
                running, chat, embeddings,
                key=let_in(running, "prod-reader-01", home, "--limit", "$5/day"),
                short=let_in(running, "prod-reader-02", home, "--limit", "$5/day", "--output-tokens", "11"),
            )  # fmt: skip
        finally:
            running.stop()
