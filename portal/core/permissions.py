"""Who may do what, where: permission × region subtree, said once.

A *grant* gives a role on a region; it reaches the whole subtree below. An *actor* is whoever acts: a
person signed in, a machine's token, or the system itself. Views ask :func:`require` or load through
:func:`load`; nothing else decides.

A stranger (no grant on the object's subtree) gets 404, a weak role 403.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, TypeVar

from portal.core.errors import ForbiddenError, NotFoundError
from portal.core.i18n import lazy


class Permission(StrEnum):
    """``scope:resource:action``."""

    REGION_VIEW = "community:region:view"
    REGION_MANAGE = "community:region:manage"
    REGION_SETTINGS = "community:region:settings"
    DWELLING_MANAGE = "community:dwelling:manage"
    RESIDENT_LIST = "community:resident:list"
    RESIDENT_DECIDE = "community:resident:decide"
    INVITATION_LIST = "community:invitation:list"
    INVITATION_DECIDE = "community:invitation:decide"
    VEHICLE_LIST = "community:vehicle:list"
    VEHICLE_DECIDE = "community:vehicle:decide"
    PASSAGE_LIST = "community:passage:list"
    PASSAGE_RECORD = "community:passage:record"
    PASSAGE_REVIEW = "community:passage:review"
    PASS_SCAN = "community:pass:scan"  # noqa: S105 - a name, not a secret
    DEVICE_LIST = "community:device:list"
    DEVICE_COMMAND = "community:device:command"
    DEVICE_TEND = "community:device:tend"
    TELEMETRY_READ = "community:telemetry:read"
    WORK_TAKE_OVER = "community:work:take_over"
    PARCEL_LIST = "community:parcel:list"
    PARCEL_HANDLE = "community:parcel:handle"
    PARCEL_MANAGE = "community:parcel:manage"
    POSTER_PRINT = "community:poster:print"
    NOTICE_PUBLISH = "community:notice:publish"
    TELECARE_LIST = "community:alarm:list"
    TELECARE_RESPOND = "community:alarm:respond"
    TELECARE_MANAGE = "community:wearer:manage"
    TOKEN_MANAGE = "system:token:manage"  # noqa: S105 - a name, not a secret
    ACCOUNT_LIST = "system:account:list"
    ACCOUNT_MANAGE = "system:account:manage"
    GRANT_MANAGE = "security:grant:manage"
    LOCKOUT_MANAGE = "security:lockout:manage"
    AUDIT_READ = "audit:entry:list"


class Role(StrEnum):
    """What a member of staff is; residents need no grant for what is their own."""

    WORKER = "worker"
    GATEKEEPER = "gatekeeper"
    MANAGER = "manager"
    HEALTH_WORKER = "health_worker"
    SUPERVISOR = "supervisor"
    SUPPORT = "support"
    SYSTEM_ADMIN = "system_admin"
    SECURITY_ADMIN = "security_admin"
    AUDIT_ADMIN = "audit_admin"


ROLE_NAMES: Final[dict[Role, Any]] = {
    Role.WORKER: lazy("Community worker"),
    Role.GATEKEEPER: lazy("Gatekeeper"),
    Role.MANAGER: lazy("Property manager"),
    Role.HEALTH_WORKER: lazy("Health worker"),
    Role.SUPERVISOR: lazy("Supervisor"),
    Role.SUPPORT: lazy("Support"),
    Role.SYSTEM_ADMIN: lazy("System administrator"),
    Role.SECURITY_ADMIN: lazy("Security administrator"),
    Role.AUDIT_ADMIN: lazy("Audit administrator"),
}

_P = Permission
ROLE_PERMISSIONS: Final[dict[Role, frozenset[Permission]]] = {
    Role.WORKER: frozenset(
        {
            _P.REGION_VIEW,
            _P.RESIDENT_LIST,
            _P.RESIDENT_DECIDE,
            _P.INVITATION_LIST,
            _P.INVITATION_DECIDE,
            _P.VEHICLE_LIST,
            _P.VEHICLE_DECIDE,
            _P.PASSAGE_LIST,
            _P.PASSAGE_REVIEW,
            _P.PASS_SCAN,
            _P.DEVICE_LIST,
            _P.DEVICE_TEND,
            _P.PARCEL_LIST,
            _P.PARCEL_HANDLE,
            _P.POSTER_PRINT,
            _P.NOTICE_PUBLISH,
            _P.TELECARE_LIST,
            _P.TELECARE_RESPOND,
            _P.TELECARE_MANAGE,
        }
    ),
    Role.GATEKEEPER: frozenset(
        {
            _P.REGION_VIEW,
            _P.INVITATION_LIST,
            _P.VEHICLE_LIST,
            _P.PASSAGE_LIST,
            _P.PASSAGE_RECORD,
            _P.PASS_SCAN,
            _P.DEVICE_LIST,
            _P.PARCEL_LIST,
            _P.PARCEL_HANDLE,
            _P.TELECARE_LIST,
            _P.TELECARE_RESPOND,
        }
    ),
    Role.MANAGER: frozenset(
        {
            _P.REGION_VIEW,
            _P.INVITATION_LIST,
            _P.VEHICLE_LIST,
            _P.PASSAGE_LIST,
            _P.PASSAGE_REVIEW,
            _P.DEVICE_LIST,
            _P.DEVICE_COMMAND,
            _P.DEVICE_TEND,
            _P.TELEMETRY_READ,
            _P.WORK_TAKE_OVER,
            _P.PARCEL_LIST,
            _P.PARCEL_HANDLE,
            _P.PARCEL_MANAGE,
            _P.POSTER_PRINT,
            _P.NOTICE_PUBLISH,
            _P.TELECARE_LIST,
            _P.TELECARE_RESPOND,
            _P.REGION_SETTINGS,
            _P.DWELLING_MANAGE,
        }
    ),
    Role.HEALTH_WORKER: frozenset({_P.REGION_VIEW, _P.TELECARE_LIST, _P.TELECARE_RESPOND}),
    Role.SUPERVISOR: frozenset(
        {
            _P.REGION_VIEW,
            _P.INVITATION_LIST,
            _P.PASSAGE_LIST,
            _P.PASSAGE_REVIEW,
            _P.DEVICE_LIST,
            _P.DEVICE_TEND,
            _P.WORK_TAKE_OVER,
            _P.VEHICLE_LIST,
            _P.NOTICE_PUBLISH,
            _P.PARCEL_LIST,
            _P.TELECARE_LIST,
            _P.TELECARE_RESPOND,
            _P.REGION_MANAGE,
            _P.REGION_SETTINGS,
            _P.DWELLING_MANAGE,
        }
    ),
    Role.SUPPORT: frozenset({_P.REGION_VIEW, _P.DEVICE_LIST, _P.TELEMETRY_READ}),
    Role.SYSTEM_ADMIN: frozenset(
        {
            _P.REGION_VIEW,
            _P.REGION_MANAGE,
            _P.REGION_SETTINGS,
            _P.DWELLING_MANAGE,
            _P.DEVICE_LIST,
            _P.TELEMETRY_READ,
            _P.TOKEN_MANAGE,
            _P.ACCOUNT_LIST,
            _P.ACCOUNT_MANAGE,
        }
    ),
    Role.SECURITY_ADMIN: frozenset(
        {_P.REGION_VIEW, _P.ACCOUNT_LIST, _P.GRANT_MANAGE, _P.LOCKOUT_MANAGE}
    ),
    Role.AUDIT_ADMIN: frozenset({_P.AUDIT_READ}),
}

ADMINISTRATORS: Final = frozenset({Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN})
"""Separate people: whoever holds one of these roles holds no other (MLPS level 3, 8.1.5)."""


_FROM_COUNTY_UP: Final = frozenset({"province", "prefecture", "county"})


def permissions_of(role: Role, level: str) -> frozenset[Permission]:
    """What a role may do when it is granted on a region of this level.

    Supervisors change the tree below them from the county upward: codes are given out there. A township
    or community sees its part of the tree and may not renumber it.
    """
    held = ROLE_PERMISSIONS[role]
    if role is Role.SUPERVISOR and level not in _FROM_COUNTY_UP:
        return held - {Permission.REGION_MANAGE}
    return held


@dataclass(frozen=True, slots=True)
class Grant:
    """Permissions on a region and all below. ``path`` is the region's materialised path."""

    path: str
    permissions: frozenset[Permission]
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class Actor:
    """Whoever acts. ``label`` goes into the audit and is never a resident's name.

    ``user_id`` is set for people, ``token_id`` for machines, ``resident_id`` for residents.
    """

    label: str
    user_id: int | None = None
    token_id: int | None = None
    resident_id: int | None = None
    grants: tuple[Grant, ...] = ()

    def may(self, permission: Permission, path: str) -> bool:
        """Whether the permission reaches the region with this path."""
        return any(permission in g.permissions and path.startswith(g.path) for g in self.grants)

    def knows(self, path: str) -> bool:
        """Whether any grant reaches this region at all."""
        return any(path.startswith(g.path) for g in self.grants)

    def paths(self, permission: Permission) -> tuple[str, ...]:
        """Roots of the subtrees where the permission holds, for filtering lists."""
        return tuple(g.path for g in self.grants if permission in g.permissions)

    @property
    def is_staff(self) -> bool:
        """Whether there is any grant."""
        return bool(self.grants)


SYSTEM: Final = Actor(label="system")
"""The worker and jobs; holds no grant, operations that it may call do not ask for one."""


def not_found() -> NotFoundError:
    """The one answer to a stranger."""
    return NotFoundError("not_found", lazy("This does not exist, or you may not see it."))


def require(actor: Actor, permission: Permission, path: str) -> None:
    """Let through, or raise.

    Raises:
        NotFoundError: the actor has nothing to do with this region.
        ForbiddenError: the actor's role is too weak.
    """
    if actor.may(permission, path):
        return
    if not actor.knows(path):
        raise not_found()
    raise ForbiddenError(
        "forbidden", lazy("Your role does not allow this. Ask your administrator.")
    )


def require_somewhere(actor: Actor, permission: Permission) -> None:
    """Let through whoever holds the permission on any region; lists then show only those regions.

    Raises:
        ForbiddenError: no grant of the actor has it.
    """
    if not actor.paths(permission):
        raise ForbiddenError(
            "forbidden", lazy("Your role does not allow this. Ask your administrator.")
        )


T = TypeVar("T")


def found(item: T | None) -> T:
    """The item, or 404."""
    if item is None:
        raise not_found()
    return item
