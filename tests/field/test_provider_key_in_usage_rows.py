"""The provider's key stood in usage rows (BerriAI/litellm#39964). Neither it nor the caller's secret is in any row, frame,
log line or answer, also where the provider repeats it in its refusal.
"""

from pathlib import Path

import pytest
from tests.flow.gateway.house import chat, open_house

from clavero.domain.credentials import ProviderKind
from clavero.testing.faults import EVENTS, JSON, Fault, Turn, head, serve_faults


async def repeat(turn: Turn) -> bool:
    """Refuse with the key in the text, as some providers do."""
    key = turn.asked.headers["authorization"].removeprefix("Bearer ")
    body = f'{{"error":{{"message":"Incorrect API key provided: {key}","code":"invalid_request"}}}}'.encode()
    await turn.write(head(400, [JSON, ("content-length", str(len(body)))]) + body)
    return True


async def repeat_in_a_stream(turn: Turn) -> bool:
    """The same as the first event of a stream."""
    key = turn.asked.headers["authorization"].removeprefix("Bearer ")
    body = f'data: {{"error":{{"message":"Bad key: {key}","code":"invalid_request","type":"invalid_request"}}}}\n\n'
    await turn.write(head(200, [EVENTS, ("content-length", str(len(body)))]) + body.encode())
    return True


@pytest.mark.requirement(30)
@pytest.mark.parametrize("how", [repeat, repeat_in_a_stream])
async def test_no_secret_is_kept_or_shown(tmp_path: Path, how: Fault) -> None:
    async with open_house(tmp_path / "data", upstream__attempts=1) as house, serve_faults(how) as server:
        await house.provider("own", server.origin, ["mine*"], ProviderKind.OPENAI_LIKE)
        key = await house.key()
        more = {"x-client-request-id": key}
        said = await house.post("/v1/chat/completions", chat("mine-1", stream=how is not repeat), key, more)
        assert said.status >= 400
        theirs = server.asked[0].headers["authorization"].removeprefix("Bearer ")
        await house.rows()
        kept = house.query("select * from usage, usage_group g where g.id = group_id")
        assert kept
        shown = said.text + str(said.headers) + "".join(house.logged) + str(kept)
        frames = b"".join(path.read_bytes() for path in (house.data / "journal").rglob("*.seg"))
        for secret in (key, key[-49:-6], theirs):
            assert secret not in shown
            assert secret.encode() not in frames
