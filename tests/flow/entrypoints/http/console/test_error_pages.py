import pytest
from tests.flow.entrypoints.http.console.visitor import Visitor, words

from clavero.domain.catalogue import codes


@pytest.mark.requirement(32)
async def test_the_address_in_every_refusal_leads_to_its_explanation(newcomer: Visitor) -> None:
    newcomer.client.cookies.clear()  # who calls the gateway has no session here
    for code in codes():
        page = words(await newcomer.page(f"/errors/{code}"))
        assert code in page
        assert "What to do" in page


async def test_codes_are_explained_in_spanish_too(newcomer: Visitor) -> None:
    answer = await newcomer.get("/errors/insufficient_quota", **{"accept-language": "es"})
    assert "Qué hacer" in answer.text


async def test_all_codes_are_listed_and_a_typo_finds_the_nearest(newcomer: Visitor) -> None:
    page = await newcomer.page("/errors")
    assert all(f'href="/errors/{code}"' in page for code in codes())
    assert "insufficient_quota" in await newcomer.page("/errors/insuficient_quota", 404)
