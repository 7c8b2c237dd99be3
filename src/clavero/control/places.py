"""Where a key belongs: its service, and the team, project and environment that are made with it where they are new."""

from msgspec import Struct

from clavero.control.commit import Changing
from clavero.domain.names import ENVIRONMENT_RULE, is_environment, is_plain
from clavero.domain.organisation import Environment, Project, Service, Team
from clavero.domain.refusals import InvalidValue

DEFAULT = "default"  # the team and the project of what nobody placed
_PLAIN_RULE = "words of a-z and 0-9 with hyphens between, at most 63 characters"


class Place(Struct, frozen=True, kw_only=True):
    """Where a key is to belong; an empty team or project is that of the service, or the default."""

    environment: str
    service: str
    team: str = ""
    project: str = ""


def check(place: Place) -> Place:
    """The same place, where every name in it may be used; `InvalidValue` otherwise."""
    if not is_environment(place.environment):
        raise InvalidValue("environment", ENVIRONMENT_RULE)
    for field, name in (("service", place.service), ("team", place.team), ("project", place.project)):
        if (name or field == "service") and not is_plain(name):
            raise InvalidValue(field, _PLAIN_RULE)
    return place


async def settle(change: Changing, place: Place) -> Service:
    """The service of a checked place; whatever of the place did not exist does now.

    A service belongs to one project and a project to one team: a place that says otherwise is refused.
    """
    if await change.get(Environment, place.environment) is None:
        await change.put(Environment(name=place.environment, created_ns=change.now_ns))
    service = await change.get(Service, place.service)
    if service is None:
        return await _new_service(change, place)
    _agree("project", place.project, service.project, f"service {service.name}")
    _agree("team", place.team, service.team, f"service {service.name}")
    return service


async def _new_service(change: Changing, place: Place) -> Service:
    name = place.project or DEFAULT
    project = await change.get(Project, name)
    if project is None:
        project = Project(name=name, team=place.team or DEFAULT, created_ns=change.now_ns)
        await change.put(project)
    _agree("team", place.team, project.team, f"project {project.name}")
    if await change.get(Team, project.team) is None:
        await change.put(Team(name=project.team, created_ns=change.now_ns))
    service = Service(name=place.service, project=project.name, team=project.team, created_ns=change.now_ns)
    await change.put(service)
    return service


def _agree(field: str, wanted: str, actual: str, whose: str) -> None:
    if wanted and wanted != actual:
        raise InvalidValue(field, f"{actual}, as {whose} says", actual)
