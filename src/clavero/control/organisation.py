"""Who a key works for: teams, their projects, the services in them, and the environments where services run.

A key is made with whatever of its place is missing (`places`); here the same things are made on purpose, moved and
removed. Nothing that something else stands on is removed: a team that is gone leaves no key behind that still works.
"""
# ruff: noqa: ARG001 - the reason is the audit's

from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import replace

from clavero.control.commit import Changing, Desk, operation
from clavero.control.find import named
from clavero.domain import scopes
from clavero.domain.budgets import Budget, BudgetState, Subject
from clavero.domain.keys import Key, KeyState
from clavero.domain.members import Member
from clavero.domain.names import ENVIRONMENT_RULE, is_environment, is_plain
from clavero.domain.organisation import Environment, Project, Service, Team, Tier
from clavero.domain.refusals import AlreadyExists, InUse, InvalidValue
from clavero.ports.store import Reading

_LONGEST = 200
_PLAIN_RULE = "words of a-z and 0-9 with hyphens between, at most 63 characters"
_OVER = frozenset({KeyState.REVOKED, KeyState.RETIRED})


class Tree(Struct, frozen=True):
    """The organisation as a whole, each list by name."""

    teams: list[Team]
    projects: list[Project]
    services: list[Service]
    environments: list[Environment]


class Contact(Struct, frozen=True, kw_only=True):
    """Where the code of a service is, and who is on call for it; what is not said stays."""

    repository: str | UnsetType = UNSET
    on_call: str | UnsetType = UNSET


NOBODY = Contact()


# --- teams


@operation("team.add")
async def add_team(change: Changing, *, name: str, reason: str = "") -> Team:
    """A new team."""
    await _free(change, Team, name)
    team = Team(name=name, created_ns=change.now_ns)
    await change.put(team)
    return team


@operation("team.remove")
async def remove_team(change: Changing, *, name: str, reason: str = "") -> Team:
    """Remove a team that nothing belongs to."""
    team = await named(change, Team, name)
    for project in await change.find(Project, team=name):
        raise InUse("team", name, f"project {project.name}")
    for member in await change.find(Member):
        if name in member.teams:
            raise InUse("team", name, f"member {member.name}")
    await _no_budget(change, Subject.TEAM, name)
    await change.delete(Team, name)
    return team


# --- projects


@operation("project.add")
async def add_project(change: Changing, *, name: str, team: str, reason: str = "") -> Project:
    """A new project of a team."""
    await _free(change, Project, name)
    await named(change, Team, team)
    project = Project(name=name, team=team, created_ns=change.now_ns)
    await change.put(project)
    return project


@operation("project.update")
async def move_project(change: Changing, *, name: str, team: str, reason: str = "") -> Project:
    """Give a project, and every service in it, to another team; spend from then on is that team's."""
    await named(change, Team, team)
    project = replace(await named(change, Project, name), team=team)
    await change.put(project)
    for service in await change.find(Service, project=name):
        await change.put(replace(service, team=team))
    return project


@operation("project.remove")
async def remove_project(change: Changing, *, name: str, reason: str = "") -> Project:
    """Remove a project without services."""
    project = await named(change, Project, name)
    for service in await change.find(Service, project=name):
        raise InUse("project", name, f"service {service.name}")
    await _no_budget(change, Subject.PROJECT, name)
    await change.delete(Project, name)
    return project


# --- services


@operation("service.add")
async def add_service(
    change: Changing, *, name: str, project: str, contact: Contact = NOBODY, reason: str = ""
) -> Service:
    """A new service in a project."""
    await _free(change, Service, name)
    home = await named(change, Project, project)
    service = Service(name=name, project=home.name, team=home.team, created_ns=change.now_ns)
    service = _reached(service, contact)
    await change.put(service)
    return service


@operation("service.update")
async def update_service(
    change: Changing, *, name: str, project: str = "", contact: Contact = NOBODY, reason: str = ""
) -> Service:
    """Say where a service's code is and who is on call for it, or give it to another project, and so to its team.

    Spend from then on is that team's.
    """
    service = await named(change, Service, name)
    if project:
        home = await named(change, Project, project)
        service = replace(service, project=home.name, team=home.team)
    service = _reached(service, contact)
    await change.put(service)
    return service


@operation("service.remove")
async def remove_service(change: Changing, *, name: str, reason: str = "") -> Service:
    """Remove a service whose keys are all revoked."""
    service = await named(change, Service, name)
    _no_key("service", name, await change.find(Key, service=name))
    await _no_budget(change, Subject.SERVICE, name)
    await change.delete(Service, name)
    return service


# --- environments


@operation("env.add")
async def add_environment(change: Changing, *, name: str, tier: Tier = Tier.STANDARD, reason: str = "") -> Environment:
    """A new environment; its name will stand in keys."""
    if not is_environment(name):
        raise InvalidValue("name", ENVIRONMENT_RULE)
    if await change.get(Environment, name) is not None:
        raise AlreadyExists("env", name)
    environment = Environment(name=name, created_ns=change.now_ns, tier=tier)
    await change.put(environment)
    return environment


@operation("env.update")
async def update_environment(change: Changing, *, name: str, tier: Tier, reason: str = "") -> Environment:
    """Say how much harm keys of an environment can do; those that are there already and break it are drift."""
    environment = replace(await named(change, Environment, name, "env"), tier=tier)
    await change.put(environment)
    return environment


@operation("env.remove")
async def remove_environment(change: Changing, *, name: str, reason: str = "") -> Environment:
    """Remove an environment whose keys are all revoked."""
    environment = await named(change, Environment, name, "env")
    _no_key("env", name, await change.find(Key, environment=name))
    await _no_budget(change, Subject.ENVIRONMENT, name)
    await change.delete(Environment, name)
    return environment


# --- looking


async def tree(desk: Desk) -> Tree:
    """Everything at one moment."""
    async with desk.store.read() as look:
        return await read_tree(look)


async def read_tree(look: Reading) -> Tree:
    """Everything, within a look."""
    return Tree(
        teams=await look.find(Team),
        projects=await look.find(Project),
        services=await look.find(Service),
        environments=await look.find(Environment),
    )


# --- rules


def _reached(service: Service, contact: Contact) -> Service:
    if contact.repository is not UNSET:
        service = replace(service, repository=scopes.words(contact.repository, "repository", _LONGEST))
    if contact.on_call is not UNSET:
        service = replace(service, on_call=scopes.words(contact.on_call, "on_call", _LONGEST))
    return service


async def _free(change: Changing, kind: type[Team | Project | Service], name: str) -> None:
    if not is_plain(name):
        raise InvalidValue("name", _PLAIN_RULE)
    if await change.get(kind, name) is not None:
        raise AlreadyExists(kind.__name__.lower(), name)


def _no_key(kind: str, name: str, keys: list[Key]) -> None:
    for key in keys:
        if key.state not in _OVER:
            raise InUse(kind, name, f"key {key.name}")


async def _no_budget(change: Changing, subject: Subject, name: str) -> None:
    for budget in await change.find(Budget, subject=subject, name=name):
        if budget.state is BudgetState.OPEN:
            raise InUse(subject, name, f"budget {budget.id}")
