from tests.flow.entrypoints.http.console.visitor import Visitor, words

from clavero.control.commit import perform
from clavero.control.freezes import freeze
from clavero.control.members import NewMember, add_member, leave
from clavero.control.organisation import Contact, update_environment, update_service
from clavero.domain.access import SYSTEM
from clavero.domain.organisation import Tier


async def test_the_list_shows_each_key_once_what_wants_a_look_first(visitor: Visitor) -> None:
    page = await visitor.page("/keys")
    places = [page.index(f'href="/keys/{name}"') for name in visitor.made]
    assert len(places) == 6
    assert page.index("/keys/prod-growth-outreach-01") < page.index("/keys/dev-voice-notes-01")
    assert "6 keys: 4 active, 1 rotating, 1 disabled." in words(page)


async def test_filters_narrow_the_list_and_say_what_they_are(visitor: Visitor) -> None:
    disabled = await visitor.page("/keys?state=disabled")
    assert "dev-voice-notes-01" in disabled
    assert "prod-support-chat-01" not in disabled
    assert "asha" in await visitor.page("/keys?q=asha")
    ending = visitor.made["prod-rag-search-02"].versions[0].last_four
    assert "prod-rag-search-02" in await visitor.page(f"/keys?q=…{ending}")
    assert "No key matches zzz" in words(await visitor.page("/keys?q=zzz"))
    await visitor.page("/keys?state=nonsense&quick=nonsense")


async def test_a_key_shows_its_versions_its_calls_and_the_budgets_that_bind_it(visitor: Visitor) -> None:
    page = await visitor.page("/keys/prod-support-summary-01")
    text = words(page)
    assert "v3" in text
    assert "Ends soon" in text
    assert "version 2 is still accepted beside 3" in text
    assert '<svg class="lifeline"' in page
    assert "organisation" in text
    assert "rotated it" in text
    assert "prod-support-chat-01" not in text  # another key's budget


async def test_a_disabled_key_says_why_and_can_be_enabled_alone(visitor: Visitor) -> None:
    page = await visitor.page("/keys/dev-voice-notes-01")
    assert "the pilot ended" in page
    assert "/keys/dev-voice-notes-01/enable" in page
    assert "/keys/dev-voice-notes-01/rotate" not in page


async def test_words_in_names_of_owners_are_only_words(visitor: Visitor) -> None:
    await perform(visitor.house.desk, SYSTEM, add_member, wanted=NewMember(name="<img src=x>"))
    await visitor.send("/keys", name="prod-odd-owner-01", owner="<img src=x>")
    answer = await visitor.get("/keys/prod-odd-owner-01")
    assert "<img src=x>" not in answer.text
    assert "&lt;img src=x&gt;" in answer.text


async def test_a_key_whose_owner_left_says_so_and_is_given_to_another_from_its_page(visitor: Visitor) -> None:
    owner = visitor.made["prod-support-chat-01"].owner
    await perform(visitor.house.desk, SYSTEM, leave, name=owner)
    assert "an owner who left" in words(await visitor.page("/"))
    assert f"{owner} (left)" in words(await visitor.page("/keys?quick=orphaned"))
    page = await visitor.page("/keys/prod-support-chat-01")
    assert "transfer due by" in words(page)
    assert f"<option>{owner}</option>" not in page
    refused = await visitor.send("/keys/prod-support-chat-01/transfer", to=owner)
    assert refused.status_code == 422
    await perform(visitor.house.desk, SYSTEM, add_member, wanted=NewMember(name="nia"))
    answer = await visitor.send("/keys/prod-support-chat-01/transfer", to="nia")
    assert answer.status_code == 303
    page = words(await visitor.page("/keys/prod-support-chat-01"))
    assert "owner nia" in page
    assert "transfer due by" not in page


async def test_a_key_names_who_is_on_call_for_its_service(visitor: Visitor) -> None:
    service = visitor.made["prod-support-chat-01"].service
    contact = Contact(repository="github.com/acme/chat", on_call="#chat-oncall")
    await perform(visitor.house.desk, SYSTEM, update_service, name=service, contact=contact)
    page = words(await visitor.page("/keys/prod-support-chat-01"))
    assert "On call #chat-oncall" in page
    assert "github.com/acme/chat" in page


async def test_a_key_that_breaks_its_tier_says_what_mends_it(visitor: Visitor) -> None:
    assert "nobody on call" not in words(await visitor.page("/keys/prod-support-chat-01"))
    await perform(visitor.house.desk, SYSTEM, update_environment, name="prod", tier=Tier.CRITICAL)
    page = words(await visitor.page("/keys/prod-support-chat-01"))
    assert "Its service names nobody on call." in page
    assert "clavero key update prod-support-chat-01 --expires 30d" in page
    assert "of risk tiers are not met" in words(await visitor.page("/"))


async def test_a_key_of_a_frozen_environment_says_so_and_refuses_a_rotation(visitor: Visitor) -> None:
    until_ns = visitor.house.desk.clock.wall_ns() + 3600 * 10**9
    await perform(visitor.house.desk, SYSTEM, freeze, name="prod", from_ns=0, until_ns=until_ns, reason="launch")
    assert "prod is frozen until" in words(await visitor.page("/keys/prod-support-chat-01"))
    answer = await visitor.send("/keys/prod-support-chat-01/rotate", grace="24h")
    assert (answer.status_code, "is frozen until" in answer.text) == (422, True)
    await visitor.send("/keys/prod-support-chat-01/revoke", typed="prod-support-chat-01", reason="leak")
    assert "Revoked" in words(await visitor.page("/keys/prod-support-chat-01"))
