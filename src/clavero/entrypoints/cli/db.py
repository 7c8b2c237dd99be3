"""`clavero db`: the database itself. These verbs need no running clavero, and most of them must not find one."""

from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from clavero.domain.startup import Exit
from clavero.entrypoints.cli.options import COMMON, Common
from clavero.entrypoints.cli.place import settings_of
from clavero.entrypoints.cli.speech import speak

if TYPE_CHECKING:
    from clavero.bootstrap.migration import Progress


def migrate(*, plan: Annotated[bool, Parameter(name=("--plan", "--check"))] = False, common: Common = COMMON) -> int:
    """Bring the database of an earlier version to the schema of this one, while clavero is stopped.

    Each step is whole or not at all; stopped on its way, the next run goes on. Exit 8: --plan found steps to take.

    Example: clavero db migrate

    Parameters
    ----------
    plan
        Show the steps and change nothing.
    """
    from clavero.bootstrap.migration import migrate as run
    from clavero.bootstrap.migration import plan_migration
    from clavero.entrypoints.premises import Premises

    settings = settings_of(common.data_dir)
    steps = plan_migration(settings)
    if not plan and steps:
        with Premises(settings.data):
            steps = run(settings, lambda progress: _told(progress, common))
    if common.json:
        common.answer({"steps": [{"version": one.version, "about": one.about} for one in steps], "done": not plan})
    elif not steps:
        common.note("schema_new")
    elif plan:
        for one in steps:
            common.screen().line(speak("would_step", version=one.version, about=one.about))
    return Exit.PLAN_DIFFERS if plan and steps else Exit.DONE


def _told(progress: "Progress", common: Common) -> None:
    if progress.done:
        common.note("step_done", version=progress.step.version)
    elif progress.rows:
        common.note("step_rows", rows=f"{progress.rows:,}")
    else:
        common.note("step_begun", version=progress.step.version, about=progress.step.about)
