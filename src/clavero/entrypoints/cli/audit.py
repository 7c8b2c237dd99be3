"""`clavero audit`: who changed what, and the proof that the trail is as it was written and signed."""

import os
from pathlib import Path
from typing import BinaryIO

import msgspec

from clavero.domain.startup import Exit
from clavero.entrypoints.cli.failure import Failure, usage
from clavero.entrypoints.cli.options import COMMON, Common
from clavero.entrypoints.cli.show import sign
from clavero.entrypoints.cli.speech import speak
from clavero.entrypoints.cli.when import shown


def list_(*, limit: int = 50, common: Common = COMMON) -> int:
    """List the newest changes: who did what to which object, from where and why.

    Example: clavero audit list --limit 20

    Parameters
    ----------
    limit
        How many, at most 1000.
    """
    answer = common.api().get("/audit", limit=limit)
    if common.json:
        return common.answer(answer)
    rows = [
        (shown(one["at"]), one["actor"], one["action"], f"{one['object_kind']} {one['object_id']}", one["reason"],
         one["address"])
        for one in answer["rows"]
    ]  # fmt: skip
    return common.table("TIME ACTOR ACTION OBJECT REASON FROM", rows, "clavero key create NAME --owner OWNER")


def verify(file: Path | None = None, /, *, key: str = "", common: Common = COMMON) -> int:
    """Walk the chain of hashes from its first row and hold it against what was signed; exit 1 where a row is not so.

    Example: clavero audit verify trail.jsonl --key 7d6f…

    Parameters
    ----------
    file
        An export, or the proof of a row: it is judged by itself, and clavero need not run.
    key
        The public key that must have signed the file, as `clavero audit export` printed it.
    """
    if file is not None:
        return _judged(file, key, common)
    proof = common.api(seconds=600.0).get("/audit/verify")
    bad = proof["first_bad"]
    if common.json:
        common.answer(proof)
        return Exit.DONE if bad is None else Exit.FAILED
    if bad is not None:
        raise Failure("audit_broken", _wrong(bad, proof["flaw"]), speak("chain_fix"))
    screen = common.screen()
    screen.line(sign("ok"), " ", speak("chain_ok", rows=f"{proof['rows']:,}", signed=f"{proof['signed']:,}"))
    for row in proof["restored"]:
        screen.line(sign("warn"), " ", speak("chain_restored", row=f"{row:,}"))
    return Exit.DONE


def export(file: Path, /, *, common: Common = COMMON) -> int:
    """Write the whole trail and what was signed of it into a file that proves itself to anybody.

    Example: clavero audit export trail.jsonl

    Parameters
    ----------
    file
        Where; readable by you alone. What is there already is not written over.
    """
    api = common.api(seconds=60.0)
    kept = api.get("/audit/checkpoints")
    with _fresh(file) as out:
        _put(out, {"clavero_audit": 1, "signers": kept["signers"], "row": 0})
        after: int | None = 0
        count = 0
        while after is not None:
            page = api.get("/audit/rows", after=after)
            for row in page["rows"]:
                _put(out, row)
            count, after = count + len(page["rows"]), page["next"]
        for checkpoint in kept["checkpoints"]:
            _put(out, checkpoint)
    if common.json:
        return common.answer({"file": str(file), "rows": count, "signers": kept["signers"]})
    common.note("exported", file=file, rows=f"{count:,}", signer=" ".join(kept["signers"]))
    return Exit.DONE


def prove(row: int, file: Path, /, *, common: Common = COMMON) -> int:
    """Write one row with the checkpoint that was signed over it: what you show of the trail, and no more.

    Example: clavero audit prove 42 row-42.jsonl

    Parameters
    ----------
    row
        The number of the row.
    file
        Where; readable by you alone. What is there already is not written over.
    """
    api = common.api()
    kept = api.get("/audit/checkpoints")
    rows = api.get("/audit/rows", after=row - 1, limit=1)["rows"] if row > 0 else []
    if not rows or rows[0]["seq"] != row:
        raise Failure("not_found", speak("no_row", row=row), "clavero audit list", Exit.NOT_FOUND)
    over = [one for one in kept["checkpoints"] if one["seq"] - len(one["hashes"]) < row <= one["seq"]]
    if not over:
        raise Failure("not_signed_yet", speak("not_signed", row=row), speak("not_signed_fix"), Exit.REFUSED)
    with _fresh(file) as out:
        for line in ({"clavero_audit": 1, "signers": kept["signers"], "row": row}, rows[0], over[0]):
            _put(out, line)
    common.note("proved", file=file, row=row)
    return Exit.DONE


def _judged(file: Path, key: str, common: Common) -> int:
    from clavero.control.testimony import BadTestimony, judge

    try:
        with file.open("rb") as opened:
            verdict = judge(opened, key)
    except OSError as error:
        what = (error.strerror or type(error).__name__).lower()
        raise usage(speak("source_closed", source=file, what=what), "clavero audit verify FILE", "bad_source") from None
    except BadTestimony as bad:
        raise Failure("audit_broken", f"{file}: {bad}", speak("chain_fix")) from None
    finding = verdict.finding
    if common.json:
        common.answer(msgspec.to_builtins(verdict))
        return Exit.DONE if finding is None else Exit.FAILED
    if finding is not None:
        raise Failure("audit_broken", _wrong(finding.row, finding.flaw), speak("chain_fix"))
    common.screen().line(sign("ok"), " ", speak("chain_ok", rows=f"{verdict.rows:,}", signed=f"{verdict.signed:,}"))
    return Exit.DONE


def _wrong(row: int, flaw: str) -> str:
    return speak("chain_bad", row=f"{row:,}", flaw=speak(f"flaw_{flaw}"))


def _fresh(file: Path) -> BinaryIO:
    """A new file of one's own; a usage error where something is there."""
    try:
        return os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb")
    except OSError as error:
        what = (error.strerror or type(error).__name__).lower()
        raise usage(speak("cannot_write", file=file, what=what), "clavero audit export FILE", "cannot_write") from None


def _put(out: BinaryIO, line: object) -> None:
    out.write(msgspec.json.encode(line) + b"\n")
