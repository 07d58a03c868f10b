"""What a region may set about passes, and the seconds that hold in a community (A4)."""

from __future__ import annotations

from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.i18n import lazy
from portal.passes.models import Pass
from portal.regions.models import Region
from portal.regions.settings import Rule, Setting, Type, setting
from portal.residents.models import Resident

SECONDS: Final = "passes.code_seconds"
SETTINGS: Final = (
    Setting(
        key=SECONDS,
        type=Type.NUMBER,
        default=None,
        title=lazy("How long a code on a screen is valid"),
        about=lazy(
            "A short time keeps a photographed code from being of use. The screen renews it."
        ),
        unit=lazy("seconds"),
        rule=Rule.TIGHTEN,
        least=10,
        most=3600,
    ),
)


def code_seconds(session: Session, community: Region, installed: int) -> int:
    """Seconds that a code lives in a community; ``installed`` where no region sets them."""
    seconds: int | None = setting(session, community, SECONDS)
    return installed if seconds is None else seconds


def seconds_for_pass(session: Session, pass_id: str, installed: int) -> int:
    """The same for the community of a pass."""
    community = session.scalar(
        select(Region).join(Pass, Pass.community_id == Region.id).where(Pass.id == pass_id)
    )
    return installed if community is None else code_seconds(session, community, installed)


def seconds_for_resident(session: Session, resident_id: int | None, installed: int) -> int:
    """The same for the community of a resident."""
    community = session.scalar(
        select(Region)
        .join(Resident, Resident.community_id == Region.id)
        .where(Resident.id == resident_id)
    )
    return installed if community is None else code_seconds(session, community, installed)
