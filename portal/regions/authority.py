"""Who may change the tree, beyond permission × subtree: nobody but the level above changes a supervisor's own region."""

from __future__ import annotations

from portal.core.errors import ForbiddenError
from portal.core.i18n import lazy
from portal.core.permissions import SYSTEM, Actor, Permission, Role, require
from portal.regions.models import Region


def manages(actor: Actor, path: str, *, itself: bool) -> bool:
    """Whether the actor may change the region of this path.

    Args:
        itself: the region's own name, code or existence; ``False`` asks for what lies right below it.

    The system (the command line on the machine itself) may.
    """
    if actor is SYSTEM:
        return True
    return any(
        Permission.REGION_MANAGE in grant.permissions
        and path.startswith(grant.path)
        and not (itself and grant.role is Role.SUPERVISOR and grant.path == path)
        for grant in actor.grants
    )


def require_manage(actor: Actor, region: Region) -> None:
    """Let through whoever may change this region itself.

    Raises:
        NotFoundError: a stranger; ForbiddenError: a weak role, or the supervisor of this very region.
    """
    if manages(actor, region.path, itself=True):
        return
    require(actor, Permission.REGION_MANAGE, region.path)
    raise ForbiddenError(
        "own_region", lazy("Your own region is changed by the level above it, not by you.")
    )
