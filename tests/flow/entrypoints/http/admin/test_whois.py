import pytest
from tests.flow.entrypoints.http.admin.office import Office


async def test_a_found_key_is_named_with_what_it_powers(office: Office) -> None:
    made = await office.ask("POST", "/keys", 201, json={"name": "prod-mail-01", "owner": "asha", "team": "apps"})
    found = await office.ask("POST", "/whois", json={"fragment": made["secret"]})
    (match,) = found["keys"]
    assert (match["by"], match["version"]) == ("secret", 1)
    assert (match["key"]["service"], match["key"]["owner"], match["key"]["team"]) == ("mail", "asha", "apps")
    assert made["secret"] not in str(found)
    assert (found["forged"], found["credentials"]) == (False, [])


async def test_a_provider_s_key_is_named_by_its_end(office: Office) -> None:
    await office.ask("POST", "/providers/openai/credential", 201, json={"secret": "not-a-key-" + "0" * 12 + "wxyz"})
    (found,) = (await office.ask("POST", "/whois", json={"fragment": "…wxyz"}))["credentials"]
    assert found["provider"] == "openai"


@pytest.mark.parametrize("fragment", ["", "abc", "x" * 9000])
async def test_what_can_tell_nothing_is_refused(office: Office, fragment: str) -> None:
    assert (await office.refused("POST", "/whois", 422, json={"fragment": fragment}))["field"] == "fragment"
