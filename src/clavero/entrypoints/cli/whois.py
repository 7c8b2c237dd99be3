"""`clavero whois`: from a key that turned up somewhere, or a piece of one, to what it powers and who answers for it."""

from typing import Annotated

from cyclopts import Parameter

from clavero.domain.startup import Exit
from clavero.entrypoints.cli.failure import usage
from clavero.entrypoints.cli.key_facts import owner_cell
from clavero.entrypoints.cli.options import COMMON, Common, ago, state_cell
from clavero.entrypoints.cli.show import Row
from clavero.entrypoints.cli.sources import secret_from
from clavero.entrypoints.cli.speech import say, speak
from clavero.entrypoints.cli.when import shown


def whois(
    fragment: str = "",
    /,
    *,
    from_: Annotated[str, Parameter(name="--from", allow_leading_hyphen=True)] = "",
    common: Common = COMMON,
) -> int:
    """Say whose key this is; a piece will do: its public id, its last four characters, a part of its name.

    Example: clavero whois 7V7Vzytl3Xjl

    Parameters
    ----------
    fragment
        A piece of the key. A whole key never stands on a command line: give it with --from.
    from_
        Where the whole key is: env:NAME, file:PATH or - for stdin.
    """
    if bool(fragment) == bool(from_):
        raise usage(speak("whois_one"), "clavero whois --from -", "bad_value")
    sought = secret_from(from_).reveal() if from_ else fragment
    answer = common.api().post("/whois", fragment=sought)
    ending = Exit.DONE if answer["keys"] or answer["credentials"] else Exit.NOT_FOUND
    if common.json:
        common.answer(answer)
        return ending
    if ending is not Exit.DONE:
        say(speak("whois_none"))
        return ending
    if answer["forged"]:
        say(speak("whois_forged"))
    rows: list[Row] = [
        (one["key"]["name"], state_cell(one["key"]["state"]), one["key"]["service"], owner_cell(one["key"]),
         one["key"]["on_call"] or "-",
         one["key"]["kid"], str(one["version"] or "-"), ago(one["key"]["last_used_at"]),
         speak(f"whois_{one['by']}"),
         one["key"]["repository"] or "-")
        for one in answer["keys"]
    ]  # fmt: skip
    rows += [
        (one["provider"], one["state"], speak("whois_provider"), "-", "-", one["id"], str(one["version"]), "-",
         speak("whois_tail"), "-")
        for one in answer["credentials"]
    ]  # fmt: skip
    for one in answer["keys"]:
        if due := shown(one["key"]["transfer_due_at"]):
            common.note("owner_gone", name=one["key"]["name"], owner=one["key"]["owner"], moment=due)
    common.table("NAME STATE SERVICE OWNER ON-CALL ID VERSION USED BY REPOSITORY", rows, "")
    return ending
