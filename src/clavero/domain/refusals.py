"""Why the control plane does not do what it was asked: a code, the fact, and the next step.

What was sent is said back masked and short: a key that was pasted into the wrong field goes no further.
"""

import re
import shlex
from typing import ClassVar

from clavero.domain.secret import mask
from clavero.domain.startup import Exit

_LONGEST = 80


class Refusal(Exception):
    """Nothing was changed. `field` names the input at fault, `suggestion` is a value that would pass."""

    code: ClassVar[str] = "refusal"
    exit_code: ClassVar[Exit] = Exit.REFUSED
    pastes: ClassVar[bool] = False  # whether the fix is a command or an option alone, the same in every language

    def __init_subclass__(cls) -> None:
        """Derive the stable code from the name, once per class."""
        super().__init_subclass__()
        cls.code = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()

    def __init__(self, message: str, fix: str, *, field: str = "", suggestion: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.field = field
        self.suggestion = suggestion


class NotSignedIn(Refusal):
    """No valid token or session came with it."""

    exit_code = Exit.SIGN_IN

    def __init__(self) -> None:
        super().__init__("Nobody is signed in", "clavero open")


class Forbidden(Refusal):
    """The role does not hold the permission."""

    def __init__(self, permission: str) -> None:
        super().__init__(f"This role may not {permission}", "Ask an owner")


class NotFound(Refusal):
    """There is no such object; the nearest name is the remedy."""

    exit_code = Exit.NOT_FOUND

    def __init__(self, kind: str, name: str, near: str = "") -> None:
        fix = f"Try {_said(near)}" if near else f"clavero {kind} list"
        super().__init__(f"There is no {kind} {_said(name)}", fix, field="name", suggestion=near)


class RecordDeleted(Refusal):
    """The record is older than records are kept; `kept_from` is the first day that is there."""

    exit_code = Exit.NOT_FOUND

    def __init__(self, request_id: str, kept_from: str) -> None:
        fact = f"The record of {_said(request_id)} is deleted: records are kept from {kept_from} on"
        super().__init__(fact, "clavero usage has its sums. retention.records_days keeps records for longer")


class AlreadyExists(Refusal):
    """The name is taken."""

    def __init__(self, kind: str, name: str, suggestion: str = "") -> None:
        fix = f"Use {_said(suggestion)}" if suggestion else "Use another name"
        super().__init__(f"There is a {kind} {_said(name)} already", fix, field="name", suggestion=suggestion)


class InvalidValue(Refusal):
    """A field does not keep its rule."""

    exit_code = Exit.USAGE

    def __init__(self, field: str, rule: str, suggestion: str = "") -> None:
        fix = f"Use {_said(suggestion)}" if suggestion else "Change it"
        super().__init__(f"{field} must be {rule}", fix, field=field, suggestion=suggestion)


class StateForbids(Refusal):
    """The object's state does not lead there."""

    def __init__(self, kind: str, name: str, state: str, verb: str, fix: str) -> None:
        super().__init__(f"The {kind} {_said(name)} is {state} and cannot be {verb}", fix)


class InUse(Refusal):
    """Something else needs it."""

    def __init__(self, kind: str, name: str, user: str) -> None:
        super().__init__(f"The {kind} {_said(name)} is used by {_said(user)}", f"Change {_said(user)} first")


class OwnerUnknown(Refusal):
    """Nobody of that name could answer for a key."""

    exit_code = Exit.NOT_FOUND
    pastes = True

    def __init__(self, name: str, near: str = "") -> None:
        fact = f"There is no member {_said(name)} to own a key" + (f"; the nearest is {_said(near)}" if near else "")
        super().__init__(fact, f"clavero member add {_quoted(name)}", field="owner", suggestion=near)


class OwnerLeft(Refusal):
    """Whoever has left answers for nothing that begins now."""

    pastes = True

    def __init__(self, name: str, day: str, fix: str = "clavero member list") -> None:
        super().__init__(f"The member {_said(name)} left on {day}", fix, field="owner")


class TierForbids(Refusal):
    """The risk tier of the environment does not allow such a key."""

    pastes = True

    def __init__(self, environment: str, tier: str, fact: str, fix: str) -> None:
        super().__init__(f"The environment {_said(environment)} is {tier}: {fact}", fix)


class EnvironmentFrozen(Refusal):
    """While a freeze holds, keys of the environment are revoked and not otherwise changed."""

    def __init__(self, environment: str, until: str, why: str) -> None:
        fact = f"The environment {_said(environment)} is frozen until {until}: {_said(why)}"
        super().__init__(fact, "Wait, or add --override --reason WHY; clavero key revoke is never refused")


class Conflict(Refusal):
    """Somebody changed it meanwhile."""


class ChangeNotRecorded(Refusal):
    """The audit row could not be written, so nothing was changed."""

    exit_code = Exit.FAILED

    def __init__(self) -> None:
        super().__init__("The change could not be recorded, so it was not made", "clavero doctor")


class StorageUnavailable(Refusal):
    """The database is away or full, so nothing was changed."""

    exit_code = Exit.FAILED

    def __init__(self, why: str = "is away") -> None:
        super().__init__(f"The database {why}; nothing was changed", "Free space or restore it, then repeat")


class VaultClosed(Refusal):
    """The keys of the vault do not open."""

    exit_code = Exit.FAILED

    def __init__(self, why: str) -> None:
        super().__init__(f"The vault does not open ({why}); nothing was changed", "clavero vault status")


class RekeyRuns(Refusal):
    """The vault moves to other keys than those asked for now."""

    def __init__(self) -> None:
        super().__init__("The vault is moving to other new keys already", "Wait for it: clavero vault status")


class OthersNeedRootKey(Refusal):
    """Another machine works with the present root key, and could not be given the new one."""

    def __init__(self, machines: int) -> None:
        fix = "Stop clavero there, re-key, copy seal/root.key there, start it again"
        super().__init__(f"{machines} other data directories work on this database with the present root key", fix)


def _quoted(name: str) -> str:
    """A name as it stands in a command that is to be pasted; masked and short."""
    return shlex.quote(_said(name))


def _said(text: str) -> str:
    safe = mask(text)
    return safe if len(safe) <= _LONGEST else safe[: _LONGEST - 1] + "…"
