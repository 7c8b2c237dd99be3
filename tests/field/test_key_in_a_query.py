"""A key in a URL's query reached traces (BerriAI/litellm#24902). Here it is never accepted there, never written down."""

from pathlib import Path

import pytest
from tests.flow.gateway.house import chat, open_house


@pytest.mark.parametrize("name", ["key", "api_key", "api-key", "access_token", "x-api-key"])
async def test_a_key_in_the_query_is_no_key_and_goes_nowhere(tmp_path: Path, name: str) -> None:
    async with open_house(tmp_path / "data") as house:
        await house.simulated()
        key = await house.key()
        query = f"?{name}={key}&{name}2=another-secret-of-theirs"
        alone = await house.post("/v1/chat/completions" + query, chat())
        assert (alone.status, alone.code) == (401, "missing_api_key")
        beside = await house.post("/v1/chat/completions" + query, chat(), key)
        assert beside.status == 200
        wrong = await house.get("/v1/chat/completions" + query, key)
        nowhere = await house.post("/v1/nowhere" + query, chat(), key)
        assert (wrong.status, nowhere.status) == (405, 404)
        await house.rows()
        written = str(house.query("select * from usage, usage_group g where g.id = group_id")) + "".join(house.logged)
        written += "".join(said.text for said in (alone, beside, wrong, nowhere))
        journal = b"".join(path.read_bytes() for path in (house.data / "journal").rglob("*.seg"))
        for secret in (key, key[-49:], "another-secret-of-theirs"):
            assert secret not in written
            assert secret.encode() not in journal
