"""Why the control plane does not do what it was asked: a code, the fact, and the next step."""

from typing import ClassVar

from clavero.domain.startup import Exit


class Refusal(Exception):
    """Nothing was changed."""

    code: ClassVar[str] = "refused"
    exit_code: ClassVar[Exit] = Exit.REFUSED

    def __init__(self, message: str, fix: str = "", field: str = "", suggestion: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix
        self.field = field
        self.suggestion = suggestion


class NotFound(Refusal):
    """There is no such object."""

    code = "not_found"
    exit_code = Exit.NOT_FOUND


class Conflict(Refusal):
    """It is there already, or in a state that does not allow it."""

    code = "conflict"


class InvalidValue(Refusal):
    """A field does not keep its rule; `field` names it, `suggestion` would pass."""

    code = "invalid_value"
    exit_code = Exit.USAGE


class Forbidden(Refusal):
    """The role does not hold the permission."""

    code = "forbidden"


class NotSignedIn(Refusal):
    """No valid token or session came with it."""

    code = "not_signed_in"
    exit_code = Exit.SIGN_IN


class Unavailable(Refusal):
    """The database is away or full; nothing was changed."""

    code = "database_unavailable"
    exit_code = Exit.FAILED
