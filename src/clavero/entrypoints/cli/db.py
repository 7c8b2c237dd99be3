"""`clavero db`: the database itself. These verbs need no running clavero; two of them must not find one."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from clavero.domain.keys import moment
from clavero.domain.startup import Exit
from clavero.domain.units import format_size
from clavero.entrypoints.cli.db_words import Progress
from clavero.entrypoints.cli.options import COMMON, Common, dollars
from clavero.entrypoints.cli.place import settings_of
from clavero.entrypoints.cli.show import Cell, sign
from clavero.entrypoints.cli.speech import speak

if TYPE_CHECKING:
    from clavero.bootstrap.migration import Progress as Taken

_MOST_DETAILS = 20


def backup(target: Path | None = None, /, *, common: Common = COMMON) -> int:
    """Take a backup into one file, while clavero runs or not. The root key is not in it: keep that elsewhere.

    The file appears under its name when it is whole and on the disk.

    Example: clavero db backup /mnt/backups

    Parameters
    ----------
    target
        A file, or a directory for a file of its own name (DATA/backup).
    """
    from clavero.bootstrap.database import facts, take

    settings = settings_of(common.data_dir)
    made = take(settings, target, Progress(common))
    if common.json:
        return common.answer({"file": str(made.file), "bytes": made.size, **facts(made.manifest)})
    common.screen().line(str(made.file))
    common.note(
        "backed_up", rows=f"{made.manifest.rows:,}", size=format_size(made.size),
        keys=", ".join(made.manifest.root_keys) or "-",
    )  # fmt: skip
    return Exit.DONE


def backups(folder: Path | None = None, /, *, common: Common = COMMON) -> int:
    """List the backups of a directory, newest first, and what is no whole backup.

    Example: clavero db backups /mnt/backups

    Parameters
    ----------
    folder
        A directory (DATA/backup).
    """
    from clavero.bootstrap.database import facts, listed

    found = listed(settings_of(common.data_dir), folder)
    if common.json:
        return common.answer({"backups": [
            {"file": str(one.file), "bytes": one.size, "damage": one.damage,
             **(facts(one.manifest) if one.manifest else {})} for one in found
        ]})  # fmt: skip
    rows = [
        (one.file.name, format_size(one.size), moment(one.manifest.made_ns), str(one.manifest.schema),
         f"{one.manifest.rows:,}") if one.manifest else (one.file.name, format_size(one.size), Cell("-"),
         Cell("damaged", "bad"), "-")
        for one in found
    ]  # fmt: skip
    return common.table("FILE SIZE TIME SCHEMA ROWS", rows, "clavero db backup")


def verify(file: Path, /, *, common: Common = COMMON) -> int:
    """Read a backup from end to end: digests, counts, the audit chain. Exit 7 where it is not what was written.

    Example: clavero db verify /mnt/backups/clavero-20261122_030000.clavero

    Parameters
    ----------
    file
        The backup.
    """
    from clavero.bootstrap.database import facts
    from clavero.bootstrap.database import verify as read

    manifest = read(file, Progress(common))
    if common.json:
        return common.answer({"file": str(file), **facts(manifest)})
    common.screen().line(
        sign("ok"), " ", speak("backup_whole", rows=f"{manifest.rows:,}", made=moment(manifest.made_ns))
    )
    return Exit.DONE


def restore(file: Path, /, *, replace: bool = False, common: Common = COMMON) -> int:
    """Bring a backup back, while clavero is stopped, into SQLite or the PostgreSQL of DATABASE_URL.

    What the journals hold since is posted again, and what was revoked since stays revoked.

    Example: clavero db restore /mnt/backups/clavero-20261122_030000.clavero --replace

    Parameters
    ----------
    file
        The backup.
    replace
        Move the database that is there aside.
    """
    from clavero.bootstrap.database import facts
    from clavero.bootstrap.restoration import bring_back
    from clavero.entrypoints.passphrases import passphrases
    from clavero.entrypoints.premises import Premises

    settings = settings_of(common.data_dir)
    with Premises(settings.data):
        back = bring_back(settings, file, Progress(common), over=replace, passphrases=passphrases(settings))
    told = back.recovered
    if common.json:
        gaps = [{"boot": gap.boot, "reason": gap.reason} for gap in told.gaps]
        return common.answer({
            "aside": back.aside, "epoch": told.epoch, "journals": told.journals, "unknown_journals": told.adopted,
            "frames": told.frames, "excess_nano_usd": told.excess_n, "gaps": gaps, "elsewhere": told.elsewhere,
            "ended_again": back.ended, **facts(back.manifest),
        })  # fmt: skip
    common.note("restored", rows=f"{back.manifest.rows:,}", made=moment(back.manifest.made_ns))
    if back.aside:
        common.note("set_aside", place=back.aside)
    common.note("read_again", frames=f"{told.frames:,}", journals=told.journals, unknown=told.adopted)
    if told.excess_n:
        common.note("in_excess", amount=dollars(told.excess_n))
    for gap in told.gaps:
        common.note("gap", boot=gap.boot[:8], why=gap.reason)
    if told.elsewhere:
        common.note("journals_elsewhere", n=told.elsewhere)
    common.note("ended_again", n=back.ended)
    return Exit.DONE


def migrate(
    *,
    plan: Annotated[bool, Parameter(name=("--plan", "--check"))] = False,
    no_backup: bool = False,
    common: Common = COMMON,
) -> int:
    """Bring the database of an earlier version to the schema of this one, while clavero is stopped.

    It takes a backup first. Each step is whole or not at all; stopped on its way, the next run goes on. Exit 8: --plan
    found steps to take.

    Example: clavero db migrate

    Parameters
    ----------
    plan
        Show the steps and change nothing.
    no_backup
        Take no backup into DATA/backup before.
    """
    from clavero.bootstrap.migration import backed_up_before, plan_migration
    from clavero.bootstrap.migration import migrate as run
    from clavero.entrypoints.premises import Premises

    settings = settings_of(common.data_dir)
    steps = plan_migration(settings)
    if not plan and steps:
        with Premises(settings.data):
            file = None if no_backup else backed_up_before(settings, Progress(common))
            if file is not None:
                common.note("backup_first", file=file)
            steps = run(settings, lambda progress: _told(progress, common))
    if common.json:
        common.answer({"steps": [{"version": one.version, "about": one.about} for one in steps], "done": not plan})
    elif not steps:
        common.note("schema_new")
    elif plan:
        for one in steps:
            common.screen().line(speak("would_step", version=one.version, about=one.about))
    return Exit.PLAN_DIFFERS if plan and steps else Exit.DONE


def _told(progress: "Taken", common: Common) -> None:
    if progress.done:
        common.note("step_done", version=progress.step.version)
    elif progress.rows:
        common.note("step_rows", rows=f"{progress.rows:,}")
    else:
        common.note("step_begun", version=progress.step.version, about=progress.step.about)


def check(*, deep: bool = False, common: Common = COMMON) -> int:
    """Look at the database from end to end, while clavero runs or not, and change nothing.

    Integrity, schema, the sums of the ledger, the audit chain, sealed secrets, journals, the newest backup; exit 1
    where something is wrong.

    Example: clavero db check --deep

    Parameters
    ----------
    deep
        Compare every index with its table too.
    """
    from clavero.bootstrap.checkup import check_all
    from clavero.entrypoints.passphrases import passphrases

    settings, found = settings_of(common.data_dir), []
    for one in check_all(settings, Progress(common), deep=deep, passphrases=passphrases(settings)):
        found.append(one)
        if not common.json:
            fix = [Cell(f"  {one.fix}", "paste")] if one.fix else []
            common.screen().line(sign(one.state), f" {one.name:9}  {one.text}", *fix)
            for line in one.details[:_MOST_DETAILS]:
                common.screen().line(Cell(f"             {line}", "dim"))
    bad = sum(one.state == "bad" for one in found)
    if common.json:
        common.answer({"checks": [
            {"check": one.name, "state": one.state, "text": one.text, "details": list(one.details), "fix": one.fix}
            for one in found
        ], "bad": bad})  # fmt: skip
    return Exit.FAILED if bad else Exit.DONE
