"""`clavero audit`: who changed what, and the proof that the trail is as it was written."""

from clavero.domain.startup import Exit
from clavero.entrypoints.cli.failure import Failure
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


def verify(*, common: Common = COMMON) -> int:
    """Walk the chain of hashes from its first row; exit 1 where a row is not as it was written.

    Example: clavero audit verify
    """
    proof = common.api(seconds=600.0).get("/audit/verify")
    bad = proof["first_bad"]
    if common.json:
        common.answer(proof)
        return Exit.DONE if bad is None else Exit.FAILED
    if bad is not None:
        raise Failure("audit_broken", speak("chain_bad", row=bad), speak("chain_fix"))
    common.screen().line(sign("ok"), " ", speak("chain_ok", rows=f"{proof['rows']:,}"))
    return Exit.DONE
