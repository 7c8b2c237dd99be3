"""How each operation is driven: what has to be there first, and the call that makes it do its work.

A new operation without an entry fails `test_commit`.
"""

from collections.abc import Awaitable, Callable
from typing import Any

from clavero.control import (
    budgets,
    catalog,
    checkpoints,
    credentials,
    freezes,
    issue,
    keys,
    members,
    organisation,
    rekey,
    restoring,
    signin,
    unseal,
    vault_status,
)
from clavero.control.budgets import NewBudget
from clavero.control.commit import Changing, Desk, operation, perform
from clavero.control.credentials import ProviderEdit
from clavero.control.keys import KeyEdit, NewKey
from clavero.control.members import MemberEdit, NewMember
from clavero.domain.access import SYSTEM
from clavero.domain.budgets import Subject, Window
from clavero.domain.credentials import Credential, Model, Network, Provider, ProviderKind
from clavero.domain.organisation import Team, Tier
from clavero.domain.pricing import Price
from clavero.domain.sealing import Rekey, SealedKey
from clavero.domain.secret import Secret
from clavero.domain.tombstones import Tombstone
from clavero.vault.keyring import Keyring, RootKey

Work = Callable[..., Awaitable[Any]]
Call = tuple[Work, dict[str, Any]]
Drive = Callable[[Desk], Awaitable[Call]]

NAME = "prod-mail-01"
PROVIDER = Provider(
    name="house", kind=ProviderKind.OPENAI_LIKE, base_url="http://127.0.0.1:9", network=Network.LOOPBACK
)
MODEL = Model(name="quick", provider="house", served="llama-3")
PRICE = Price(id="openai/gpt-4o-mini", version="", input=7)


async def do(desk: Desk, work: Work, **kwargs: Any) -> Any:
    return await perform(desk, SYSTEM, work, **kwargs)


def plain(work: Work, **kwargs: Any) -> Drive:
    """An operation that needs nothing before it."""

    async def drive(_desk: Desk) -> Call:
        return work, kwargs

    return drive


def after(first: Drive, work: Work, **kwargs: Any) -> Drive:
    """An operation that needs another one's work before it."""

    async def drive(desk: Desk) -> Call:
        before, needs = await first(desk)
        await do(desk, before, **needs)
        return work, kwargs

    return drive


async def _make(change: Changing, *, names: list[str], reason: str = "") -> None:
    for name in names:
        await change.put(Team(name=name))
    if "boom" in names:
        raise RuntimeError


make = operation("test.make")(_make)

key = plain(keys.create, wanted=NewKey(name=NAME, owner="asha"))
disabled = after(key, keys.disable, name=NAME)
revoked = after(key, keys.revoke, name=NAME)
provider = plain(credentials.add_provider, provider=PROVIDER)
model = after(provider, credentials.set_model, model=MODEL)
member = plain(members.add_member, wanted=NewMember(name="asha"))
team = plain(organisation.add_team, name="support")
project = after(team, organisation.add_project, name="helpdesk", team="support")
service = after(project, organisation.add_service, name="chat", project="helpdesk")
environment = plain(organisation.add_environment, name="prod")
DAILY = NewBudget(subject=Subject.ORGANISATION, window=Window.DAY, limit_n=5)
budget = plain(budgets.set_budget, wanted=DAILY)
own_price = plain(catalog.set_price, price=PRICE)


async def frozen(desk: Desk) -> Call:
    await do(desk, organisation.add_environment, name="prod")
    until_ns = desk.clock.wall_ns() + 3600 * 10**9
    return freezes.freeze, {"name": "prod", "from_ns": 0, "until_ns": until_ns, "reason": "launch"}


async def thawed(desk: Desk) -> Call:
    work, kwargs = await frozen(desk)
    await do(desk, work, **kwargs)
    return freezes.thaw, {"name": "prod"}


async def credential_removed(desk: Desk) -> Call:
    await do(desk, credentials.add_provider, provider=PROVIDER)
    added = await do(desk, credentials.add_credential, provider="house", secret=Secret("sk-" + "a" * 20))
    return credentials.remove_credential, {"credential_id": added.id}


async def token_ended(desk: Desk) -> Call:
    await do(desk, signin.create_token)
    return signin.end_token, {"kid": (await signin.list_tokens(desk))[-1].id}


async def session_started(desk: Desk) -> Call:
    return signin.start_session, {"link": await do(desk, signin.create_link)}


async def session_ended(desk: Desk) -> Call:
    session, _ = await signin.sign_in(desk, await do(desk, signin.create_link), "")
    return signin.end_session, {"kid": session.id}


async def buried(desk: Desk) -> Call:
    issued = await do(desk, keys.create, wanted=NewKey(name=NAME, owner="asha"))
    return restoring.bury, {"stone": Tombstone(kind="key", id=issued.key.id, at_ns=5), "reason": "after the backup"}


async def vault_created(desk: Desk) -> Call:
    async with desk.store.write() as writing:
        for row in await writing.find(SealedKey):
            await writing.delete(SealedKey, row.id)
    return unseal.create_vault, {"rows": Keyring.create(RootKey(b"\1" * 32), desk.dice.token, 1)}


async def rekey_begun(desk: Desk) -> Rekey:
    await do(desk, credentials.add_provider, provider=PROVIDER)
    await do(desk, credentials.add_credential, provider="house", secret=Secret("sk-" + "a" * 20))
    move: Rekey = await do(desk, rekey.begin, wanted=rekey.Wanted(root=True))
    await desk.vault.unsealer.add_root()
    return move


async def rekey_entered(desk: Desk) -> Call:
    return rekey.enter, {"rekey": (await rekey_begun(desk)).id}


async def resealed(desk: Desk) -> Call:
    move = await rekey_begun(desk)
    await do(desk, rekey.enter, rekey=move.id)
    (held,) = await credentials.list_credentials(desk)
    return rekey.reseal, {"cells": [(Credential, held.id)]}


async def rekey_completed(desk: Desk) -> Call:
    work, kwargs = await resealed(desk)
    await do(desk, work, **kwargs)
    async with desk.store.read() as look:
        (move,) = await look.find(Rekey)
    return rekey.complete, {"rekey": move.id}


async def root_forgotten(desk: Desk) -> Call:
    work, kwargs = await rekey_completed(desk)
    await do(desk, work, **kwargs)
    return rekey.forget, kwargs


DRIVES: dict[str, Drive] = {
    "test.make": plain(make, names=["a", "b"]),
    "key.create": key,
    "key.create_limited": plain(issue.create_limited, wanted=NewKey(name=NAME, owner="asha"), budget=DAILY),
    "key.rotate": after(key, keys.rotate, name=NAME),
    "key.disable": disabled,
    "key.enable": after(disabled, keys.enable, name=NAME),
    "key.revoke": revoked,
    "key.retire": after(revoked, keys.retire, name=NAME),
    "key.update": after(key, keys.update, name=NAME, edit=KeyEdit(purpose="mail")),
    "key.transfer": after(key, keys.transfer, name=NAME, to="asha"),
    "provider.add": provider,
    "provider.update": after(
        provider, credentials.update_provider, name="house", edit=ProviderEdit(models=("llama-*",))
    ),
    "provider.remove": after(provider, credentials.remove_provider, name="house"),
    "provider.enable": after(provider, credentials.enable_provider, name="house"),
    "provider.disable": after(provider, credentials.disable_provider, name="house"),
    "credential.add": after(provider, credentials.add_credential, provider="house", secret=Secret("sk-" + "a" * 20)),
    "credential.remove": credential_removed,
    "model.set": model,
    "model.remove": after(model, credentials.remove_model, name="quick"),
    "member.add": member,
    "member.update": after(member, members.update_member, name="asha", edit=MemberEdit(email="a@example.com")),
    "member.remove": after(member, members.remove_member, name="asha"),
    "member.leave": after(member, members.leave, name="asha"),
    "member.rejoin": after(member, members.rejoin, name="asha"),
    "member.transfer": after(key, members.transfer_all, name="asha", to="asha"),
    "team.add": team,
    "team.remove": after(team, organisation.remove_team, name="support"),
    "project.add": project,
    "project.update": after(project, organisation.move_project, name="helpdesk", team="support"),
    "project.remove": after(project, organisation.remove_project, name="helpdesk"),
    "service.add": service,
    "service.update": after(service, organisation.update_service, name="chat", project="helpdesk"),
    "service.remove": after(service, organisation.remove_service, name="chat"),
    "env.add": environment,
    "env.update": after(environment, organisation.update_environment, name="prod", tier=Tier.CRITICAL),
    "env.freeze": frozen,
    "env.thaw": thawed,
    "env.remove": after(environment, organisation.remove_environment, name="prod"),
    "budget.set": budget,
    "budget.delete": after(budget, budgets.delete_budget, budget="organisation/default:day"),
    "price.import": plain(catalog.import_prices, prices=(PRICE,)),
    "price.set": own_price,
    "price.remove": after(own_price, catalog.remove_price, name=PRICE.id),
    "token.create": plain(signin.create_token),
    "token.end": token_ended,
    "link.create": plain(signin.create_link),
    "session.start": session_started,
    "session.end": session_ended,
    "vault.create": vault_created,
    "audit.create_signing_key": plain(checkpoints.create_signing_key),
    "vault.rekey": plain(rekey.begin, wanted=rekey.Wanted(tenants=("default",))),
    "vault.enter": rekey_entered,
    "vault.reseal": resealed,
    "vault.complete": rekey_completed,
    "vault.forget": root_forgotten,
    "vault.seal": plain(vault_status.note_seal),
    "db.restore": after(session_started, restoring.restored, reason="a.clavero"),
    "db.bury": buried,
}
