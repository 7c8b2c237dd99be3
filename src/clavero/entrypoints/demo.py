"""The demo: the simulated provider, two keys of a support copilot, budgets that hold. Made once, kept ever after."""

from pathlib import Path

from clavero.control import budgets, credentials, keys
from clavero.control.budgets import NewBudget
from clavero.control.commit import Desk, perform
from clavero.control.credentials import ProviderEdit
from clavero.control.keys import NewKey
from clavero.domain.access import SYSTEM
from clavero.domain.budgets import Subject, Window
from clavero.domain.credentials import Credential, CredentialState, Network, Provider, ProviderKind
from clavero.domain.keys import Key
from clavero.domain.money import from_usd
from clavero.domain.organisation import ORGANISATION
from clavero.domain.secret import Secret
from clavero.entrypoints.premises import write_private

PROVIDER = "simulated"
MODELS = ("gpt-*", "chatgpt-*", "o1*", "o3*", "o4*", "text-embedding-*", "claude-*")
KEYS = (
    NewKey(
        name="prod-support-chat-01", owner="asha", service="support-chat", team="support", project="support-copilot",
        purpose="chat", features=("reply", "triage"),
    ),
    NewKey(
        name="prod-support-summary-01", owner="asha", service="support-summary", team="support",
        project="support-copilot", purpose="summary", features=("summary",),
    ),
)  # fmt: skip
_BUDGETS = tuple(
    NewBudget(subject=subject, name=name, window=window, limit_n=from_usd(dollars))
    for subject, name, window, dollars in (
        (Subject.ORGANISATION, ORGANISATION, Window.MONTH, "200"),
        (Subject.TEAM, "support", Window.DAY, "10"),
        (Subject.SERVICE, "support-chat", Window.DAY, "6"),
    )
)


async def prepare(desk: Desk, simulator_url: str, gateway_url: str, folder: Path) -> list[str]:
    """Make what is missing; returns the names of the demo's keys. The secrets go to files of their owner alone."""
    _make(folder)
    await _provider(desk, simulator_url)
    fresh = [await _key(desk, wanted, folder) for wanted in KEYS]
    if any(fresh):
        for wanted in _BUDGETS:
            await perform(desk, SYSTEM, budgets.set_budget, wanted=wanted)
    _snippets(folder, gateway_url)
    return [wanted.name for wanted in KEYS]


def _make(folder: Path) -> None:
    folder.mkdir(mode=0o700, exist_ok=True)


async def _provider(desk: Desk, url: str) -> None:
    """The provider at the simulator's address of today; a new address needs its credential sealed anew."""
    async with desk.store.read() as look:
        known = await look.get(Provider, PROVIDER)
        sealed = await look.find(Credential, provider=PROVIDER)
    if known is None:
        provider = Provider(
            name=PROVIDER, kind=ProviderKind.SIMULATED, base_url=url, network=Network.LOOPBACK, models=MODELS
        )
        await perform(desk, SYSTEM, credentials.add_provider, provider=provider)
    elif known.base_url != url:
        await perform(desk, SYSTEM, credentials.update_provider, name=PROVIDER, edit=ProviderEdit(base_url=url))
        sealed = []
    if not any(one.state is CredentialState.ACTIVE for one in sealed):
        secret = Secret("simulated-" + desk.dice.token(24).hex())
        await perform(desk, SYSTEM, credentials.add_credential, provider=PROVIDER, secret=secret)


async def _key(desk: Desk, wanted: NewKey, folder: Path) -> bool:
    """Make a key and write its secret, once; True where it is new."""
    async with desk.store.read() as look:
        if await look.find(Key, name=wanted.name):
            return False
    issued = await perform(desk, SYSTEM, keys.create, wanted=wanted, reason="the demo")
    write_private(folder / f"{wanted.name}.key", issued.secret.reveal().encode() + b"\n")
    return True


def _snippets(folder: Path, gateway_url: str) -> None:
    """What can be pasted with the first key: for curl, and for the SDKs' environment."""
    file = folder / f"{KEYS[0].name}.key"
    if not file.exists():
        return
    key = file.read_text().strip()
    write_private(folder / "header", f"Authorization: Bearer {key}\n".encode())
    write_private(folder / "env", f"OPENAI_BASE_URL={gateway_url}/v1\nOPENAI_API_KEY={key}\n".encode())
