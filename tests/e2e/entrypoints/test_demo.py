"""What the demo makes, once."""

import stat

import pytest
from tests.e2e.running import Running


@pytest.mark.requirement(12)
def test_the_keys_are_written_once_for_their_owner_alone(clavero: Running) -> None:
    folder = clavero.data / "demo"
    files = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.is_file()}
    assert files
    assert set(files.values()) == {0o600}
    assert "OPENAI_BASE_URL" in (folder / "env").read_text()
    assert [row["name"] for row in clavero.ready["keys"]] == ["prod-support-chat-01", "prod-support-summary-01"]
