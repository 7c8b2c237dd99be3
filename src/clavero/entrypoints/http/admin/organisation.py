"""Teams, their projects, the services in them, and the environments where services run."""

from typing import Annotated

from fastapi import Depends, status
from pydantic import Field

from clavero.control import freezes, organisation
from clavero.control.organisation import Contact
from clavero.control.tiers import Drift, drift
from clavero.domain.freezes import not_over
from clavero.domain.organisation import Environment, Project, Service, Team, Tier
from clavero.domain.tiers import Demand
from clavero.entrypoints.http.admin.auth import Needs, router
from clavero.entrypoints.http.admin.facts import Caller
from clavero.entrypoints.http.admin.fields import Body, Moment, Reasoned, Text, View, ahead_ns, edit_of, moment

routes = router("organisation")
_MOST = 500  # breaches in one answer


class NamedView(View):
    """A team, or what else has a name."""

    name: str
    created_at: Moment


class ProjectView(NamedView):
    """A project and whose it is."""

    team: str


class ServiceView(ProjectView):
    """A service: where it belongs, where its code is, who is on call for it."""

    project: str
    repository: str
    on_call: str


class FreezeView(View):
    """A window without changes; `holds` where it has begun."""

    from_at: Moment
    until_at: Moment
    reason: str
    holds: bool


class EnvironmentView(NamedView):
    """An environment: how much harm its keys can do, and when nothing about them changes."""

    tier: Tier
    freezes: list[FreezeView]


class DriftView(View):
    """A key that exists against a demand of its environment's tier, and the command that mends it."""

    key: str
    environment: str
    tier: Tier
    demand: Demand
    fact: str
    fix: str


class DriftsView(View):
    """The first of them by the names of keys, and how many there are."""

    drift: list[DriftView]
    total: int


class TeamsView(View):
    """Every team, by name."""

    teams: list[NamedView]


class ProjectsView(View):
    """Every project, by name."""

    projects: list[ProjectView]


class ServicesView(View):
    """Every service, by name."""

    services: list[ServiceView]


class EnvironmentsView(View):
    """Every environment, by name."""

    environments: list[EnvironmentView]


class NewBody(Reasoned):
    """What it is to be called."""

    name: Text


class NewEnvironmentBody(NewBody):
    """An environment: what stands in its keys, and how much harm they can do."""

    tier: Tier = Tier.STANDARD


class EnvironmentEditBody(Reasoned):
    """How much harm keys of the environment can do."""

    tier: Tier


class FreezeBody(Body):
    """A window: from now where nothing else is said; `from_` and `until` are moments, or lengths of time from now."""

    from_: Annotated[str, Field(max_length=500, alias="from")] = ""
    until: Text
    reason: Text


class ThawBody(Reasoned):
    """Which windows end: those that hold, with `every` those to come as well."""

    every: bool = False


class NewProjectBody(NewBody):
    """A project of a team."""

    team: Text


class NewServiceBody(NewBody):
    """A service in a project; `on_call` is who is reached when it stands still."""

    project: Text
    repository: Text = ""
    on_call: Text = ""


class ProjectMoveBody(Reasoned):
    """Whose the project is to be."""

    team: Text


class ServiceEditBody(Reasoned):
    """What changes of a service; another project gives it to that project's team."""

    project: Text = ""
    repository: Text | None = None
    on_call: Text | None = None


# --- teams


@routes.get("/teams")
async def list_teams(caller: Annotated[Caller, Depends(Needs("team.read"))]) -> TeamsView:
    """Every team."""
    return TeamsView(teams=[_named(one) for one in (await organisation.tree(caller.desk)).teams])


@routes.post("/teams", status_code=status.HTTP_201_CREATED)
async def add_team(caller: Annotated[Caller, Depends(Needs("team.add"))], body: NewBody) -> NamedView:
    """A new team."""
    return _named(await caller.do(organisation.add_team, name=body.name, reason=body.reason))


@routes.delete("/teams/{name}")
async def remove_team(
    caller: Annotated[Caller, Depends(Needs("team.remove"))], name: str, reason: Text = ""
) -> NamedView:
    """Remove a team that nothing belongs to."""
    return _named(await caller.do(organisation.remove_team, name=name, reason=reason))


# --- projects


@routes.get("/projects")
async def list_projects(caller: Annotated[Caller, Depends(Needs("project.read"))]) -> ProjectsView:
    """Every project."""
    return ProjectsView(projects=[_project(one) for one in (await organisation.tree(caller.desk)).projects])


@routes.post("/projects", status_code=status.HTTP_201_CREATED)
async def add_project(caller: Annotated[Caller, Depends(Needs("project.add"))], body: NewProjectBody) -> ProjectView:
    """A new project of a team."""
    made = await caller.do(organisation.add_project, name=body.name, team=body.team, reason=body.reason)
    return _project(made)


@routes.patch("/projects/{name}")
async def move_project(
    caller: Annotated[Caller, Depends(Needs("project.update"))], name: str, body: ProjectMoveBody
) -> ProjectView:
    """Give a project and its services to another team."""
    return _project(await caller.do(organisation.move_project, name=name, team=body.team, reason=body.reason))


@routes.delete("/projects/{name}")
async def remove_project(
    caller: Annotated[Caller, Depends(Needs("project.remove"))], name: str, reason: Text = ""
) -> ProjectView:
    """Remove a project without services."""
    return _project(await caller.do(organisation.remove_project, name=name, reason=reason))


# --- services


@routes.get("/services")
async def list_services(caller: Annotated[Caller, Depends(Needs("service.read"))]) -> ServicesView:
    """Every service."""
    return ServicesView(services=[_service(one) for one in (await organisation.tree(caller.desk)).services])


@routes.post("/services", status_code=status.HTTP_201_CREATED)
async def add_service(caller: Annotated[Caller, Depends(Needs("service.add"))], body: NewServiceBody) -> ServiceView:
    """A new service in a project."""
    contact = Contact(repository=body.repository, on_call=body.on_call)
    made = await caller.do(
        organisation.add_service, name=body.name, project=body.project, contact=contact, reason=body.reason
    )
    return _service(made)


@routes.patch("/services/{name}")
async def update_service(
    caller: Annotated[Caller, Depends(Needs("service.update"))], name: str, body: ServiceEditBody
) -> ServiceView:
    """Say where a service's code is and who is on call for it, or give it to another project, and so to its team."""
    contact = edit_of(Contact, body)
    changed = await caller.do(
        organisation.update_service, name=name, project=body.project, contact=contact, reason=body.reason
    )
    return _service(changed)


@routes.delete("/services/{name}")
async def remove_service(
    caller: Annotated[Caller, Depends(Needs("service.remove"))], name: str, reason: Text = ""
) -> ServiceView:
    """Remove a service whose keys are all revoked."""
    return _service(await caller.do(organisation.remove_service, name=name, reason=reason))


# --- environments


@routes.get("/environments")
async def list_environments(caller: Annotated[Caller, Depends(Needs("env.read"))]) -> EnvironmentsView:
    """Every environment."""
    found = (await organisation.tree(caller.desk)).environments
    return EnvironmentsView(environments=[_environment(one, caller.now_ns) for one in found])


@routes.post("/environments", status_code=status.HTTP_201_CREATED)
async def add_environment(
    caller: Annotated[Caller, Depends(Needs("env.add"))], body: NewEnvironmentBody
) -> EnvironmentView:
    """A new environment; its name will stand in keys."""
    made = await caller.do(organisation.add_environment, name=body.name, tier=body.tier, reason=body.reason)
    return _environment(made, caller.now_ns)


@routes.patch("/environments/{name}")
async def update_environment(
    caller: Annotated[Caller, Depends(Needs("env.update"))], name: str, body: EnvironmentEditBody
) -> EnvironmentView:
    """Set the risk tier: what keys there must have from now on. Keys that break it already are drift."""
    made = await caller.do(organisation.update_environment, name=name, tier=body.tier, reason=body.reason)
    return _environment(made, caller.now_ns)


@routes.post("/environments/{name}/freeze")
async def freeze_environment(
    caller: Annotated[Caller, Depends(Needs("env.freeze"))], name: str, body: FreezeBody
) -> EnvironmentView:
    """Let nothing about the keys of the environment change for a time, but their revocation."""
    from_ns = ahead_ns(body.from_, "from", caller.now_ns) if body.from_ else 0
    until_ns = ahead_ns(body.until, "until", caller.now_ns)
    made = await caller.do(freezes.freeze, name=name, from_ns=from_ns, until_ns=until_ns, reason=body.reason)
    return _environment(made, caller.now_ns)


@routes.post("/environments/{name}/thaw")
async def thaw_environment(
    caller: Annotated[Caller, Depends(Needs("env.thaw"))], name: str, body: ThawBody | None = None
) -> EnvironmentView:
    """End the freezes that hold now, or every one."""
    body = body or ThawBody()
    made = await caller.do(freezes.thaw, name=name, every=body.every, reason=body.reason)
    return _environment(made, caller.now_ns)


@routes.get("/drift")
async def list_drift(caller: Annotated[Caller, Depends(Needs("env.read"))]) -> DriftsView:
    """The keys that do not meet what the tier of their environment demands."""
    found = await drift(caller.desk)
    return DriftsView(drift=[_drift(one) for one in found[:_MOST]], total=len(found))


@routes.delete("/environments/{name}")
async def remove_environment(
    caller: Annotated[Caller, Depends(Needs("env.remove"))], name: str, reason: Text = ""
) -> EnvironmentView:
    """Remove an environment whose keys are all revoked."""
    gone = await caller.do(organisation.remove_environment, name=name, reason=reason)
    return _environment(gone, caller.now_ns)


# --- telling


def _environment(one: Environment, now_ns: int) -> EnvironmentView:
    windows = [
        FreezeView(
            from_at=moment(window.from_ns),
            until_at=moment(window.until_ns),
            reason=window.reason,
            holds=window.from_ns <= now_ns,
        )
        for window in not_over(one.freezes, now_ns)
    ]
    return EnvironmentView(name=one.name, tier=one.tier, freezes=windows, created_at=moment(one.created_ns))


def _drift(one: Drift) -> DriftView:
    breach, key = one.breach, one.key
    return DriftView(
        key=key.name,
        environment=key.environment,
        tier=one.tier,
        demand=breach.demand,
        fact=breach.fact,
        fix=breach.fix,
    )


def _named(thing: Team) -> NamedView:
    return NamedView(name=thing.name, created_at=moment(thing.created_ns))


def _project(project: Project) -> ProjectView:
    return ProjectView(name=project.name, team=project.team, created_at=moment(project.created_ns))


def _service(service: Service) -> ServiceView:
    return ServiceView(
        name=service.name,
        project=service.project,
        team=service.team,
        repository=service.repository,
        on_call=service.on_call,
        created_at=moment(service.created_ns),
    )
