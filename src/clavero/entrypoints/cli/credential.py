"""`clavero credential`: the keys that we hold with providers. A secret comes from a variable, a file or a pipe."""

from typing import Annotated

from cyclopts import Parameter

from clavero.entrypoints.cli.client import path_of
from clavero.entrypoints.cli.confirm import confirm
from clavero.entrypoints.cli.options import COMMON, Common, state_cell
from clavero.entrypoints.cli.sources import secret_from
from clavero.entrypoints.cli.when import shown


def add(
    provider: str,
    /,
    *,
    from_: Annotated[str, Parameter(name="--from", allow_leading_hyphen=True)],
    reason: str = "",
    common: Common = COMMON,
) -> int:
    """Seal a provider's key in the vault; it is used from then on and never shown.

    Example: clavero credential add openai --from env:OPENAI_API_KEY

    Parameters
    ----------
    provider
        Whose key it is.
    from_
        env:NAME, file:PATH, or - for stdin; never the key itself.
    reason
        Why; kept in the audit trail.
    """
    secret = secret_from(from_)
    made = common.api().post(path_of("providers", provider, "credential"), secret=secret.reveal(), reason=reason)
    common.note("sealed", n=made["version"], origin=made["origin"], tail=made["last_four"])
    return common.answer(made) if common.json else 0


def list_(*, provider: str = "", common: Common = COMMON) -> int:
    """List credentials: whose, which version, for which address. No value is ever shown.

    Example: clavero credential list --provider openai

    Parameters
    ----------
    provider
        Those of this provider alone.
    """
    answer = common.api().get("/credentials", provider=provider)
    if common.json:
        return common.answer(answer)
    rows = [
        (one["id"], one["provider"], state_cell(one["state"]), str(one["version"]), f"…{one['last_four']}",
         one["origin"], shown(one["created_at"]))
        for one in answer["credentials"]
    ]  # fmt: skip
    otherwise = "clavero credential add PROVIDER --from env:NAME"
    return common.table("ID PROVIDER STATE VERSION TAIL ORIGIN CREATED", rows, otherwise)


def remove(
    credential: str,
    /,
    *,
    yes: bool = False,
    reason: str = "",
    common: Common = COMMON,
) -> int:
    """Retire a credential and forget its secret.

    Example: clavero credential remove 3kfD0aQ1x7Bz --yes

    Parameters
    ----------
    credential
        Its id, from clavero credential list; it has to be typed again.
    yes
        Do not ask.
    reason
        Why; kept in the audit trail.
    """
    confirm(credential, yes=yes)
    gone = common.api().delete(path_of("credentials", credential), reason=reason)
    common.note("removed", name=gone["id"])
    return common.answer(gone) if common.json else 0
