"""Keys as they are told: with where they belong, their versions, their budgets and their last use."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from clavero.control import budgets
from clavero.control.budgets import Standing
from clavero.control.commit import Desk
from clavero.control.custody import leavers
from clavero.domain.budgets import Subject
from clavero.domain.keys import Key, KeyState
from clavero.domain.members import Leaver, transfer_due
from clavero.domain.organisation import Service
from clavero.entrypoints.http.admin.budgets import BudgetView
from clavero.entrypoints.http.admin.budgets import view as budget_view
from clavero.entrypoints.http.admin.fields import Moment, View, exact, moment


class VersionView(View):
    """One secret of a key, as far as anybody sees it again."""

    number: int
    last_four: str
    created_at: Moment
    ends_at: Moment
    works: bool


class KeyView(View):
    """A key. Empty `models` or `endpoints` is every one; `state` is as of now.

    `transfer_due_at` is when a key whose owner has left is to have another one.
    """

    name: str
    kid: str
    state: KeyState
    owner: str
    transfer_due_at: Moment
    service: str
    environment: str
    team: str
    project: str
    repository: str
    on_call: str
    purpose: str
    models: tuple[str, ...]
    endpoints: tuple[str, ...]
    features: tuple[str, ...]
    default_output_tokens: int
    starts_at: Moment
    expires_at: Moment
    created_at: Moment
    last_used_at: Moment
    reason: str
    versions: list[VersionView]
    budgets: list[BudgetView]


class KeysView(View):
    """Keys by name; `next` is the `after` of the page behind this one, null on the last."""

    keys: list[KeyView]
    next: str | None


class Around(Struct, frozen=True):
    """What stands elsewhere about a key: its service, its last use, its budgets, who has left."""

    service: Service | None
    used_ns: int
    standings: Sequence[Standing]
    gone: Mapping[str, Leaver]


async def described(desk: Desk, key: Key) -> KeyView:
    """One key."""
    return (await described_all(desk, [key]))[0]


async def described_all(desk: Desk, keys: Sequence[Key]) -> list[KeyView]:
    """Keys in the order given, each with what stands about it elsewhere."""
    async with desk.store.read() as look:
        services = {service.name: service for service in await look.find(Service)}
        rows = await look.rows("last_use_of", key=keys[0].id) if len(keys) == 1 else await look.rows("last_use")
    gone = await leavers(desk)
    used = {str(row["key_id"]): int(row["at_ns"]) for row in rows}
    wanted = keys[0].id if len(keys) == 1 else ""
    standings: dict[str, list[Standing]] = {}
    for one in await budgets.list_budgets(desk, subject=Subject.KEY, name=wanted):
        standings.setdefault(one.budget.name, []).append(one)
    now_ns = desk.clock.wall_ns()
    return [
        _view(key, Around(services.get(key.service), used.get(key.id, 0), standings.get(key.id, []), gone), now_ns)
        for key in keys
    ]


def _view(key: Key, around: Around, now_ns: int) -> KeyView:
    service = around.service
    return KeyView(
        name=key.name,
        kid=key.id,
        state=key.state,
        owner=key.owner,
        transfer_due_at=moment(transfer_due(key, around.gone)),
        service=key.service,
        environment=key.environment,
        team=service.team if service else "",
        project=service.project if service else "",
        repository=service.repository if service else "",
        on_call=service.on_call if service else "",
        purpose=key.purpose,
        models=key.models,
        endpoints=key.endpoints,
        features=key.features,
        default_output_tokens=key.default_output_tokens,
        starts_at=moment(key.starts_ns),
        expires_at=moment(key.expires_ns),
        created_at=moment(key.created_ns),
        last_used_at=exact(around.used_ns) if around.used_ns else None,
        reason=key.reason,
        versions=_versions(key, now_ns),
        budgets=[budget_view(one) for one in around.standings],
    )


def _versions(key: Key, now_ns: int) -> list[VersionView]:
    return [
        VersionView(
            number=one.number,
            last_four=one.last_four,
            created_at=moment(one.created_ns),
            ends_at=moment(one.ends_ns),
            works=not one.ends_ns or now_ns < one.ends_ns,
        )
        for one in reversed(key.versions)
    ]
