"""Who may do what: roles, permissions, and who is asking. Deny by default."""

from enum import StrEnum

from msgspec import Struct


class Role(StrEnum):
    """What a person or token is trusted with."""

    OWNER = "owner"
    AUDITOR = "auditor"


# The name of an operation is the permission it needs; `*` is every one. Reading needs `<noun>.read`.
GRANTS: dict[Role, tuple[str, ...]] = {
    Role.OWNER: ("*",),
    Role.AUDITOR: ("*.read",),
}


class Actor(Struct, frozen=True, kw_only=True):
    """Who asks: a person's session, a token, or clavero itself."""

    id: str
    kind: str = "token"  # user, token, system
    address: str = ""
    session: str = ""
    level: str = ""  # how strongly it signed in: link, token, local
    role: Role = Role.OWNER
    request_id: str = ""


SYSTEM = Actor(id="clavero", kind="system", level="local")


def may(role: Role, permission: str) -> bool:
    """Whether a role holds a permission."""
    action = permission.rpartition(".")[2]
    return any(grant in {"*", permission, f"*.{action}"} for grant in GRANTS[role])


class AdminToken(Struct, frozen=True, kw_only=True):
    """A token for programs and the command line."""

    id: str
    digest: bytes
    pepper: int
    role: Role = Role.OWNER
    created_ns: int = 0
    ended_ns: int = 0


class BootstrapLink(Struct, frozen=True, kw_only=True):
    """A link that signs in once."""

    id: str
    digest: bytes
    pepper: int
    expires_ns: int
    used_ns: int = 0


class Session(Struct, frozen=True, kw_only=True):
    """A browser that is signed in; `csrf` stands in its forms."""

    id: str
    digest: bytes
    pepper: int
    csrf: str
    expires_ns: int
    role: Role = Role.OWNER
    ended_ns: int = 0
