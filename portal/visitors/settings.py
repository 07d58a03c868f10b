"""What a region may set about invitations, and the limits that hold in a community (B5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from portal.core.i18n import lazy
from portal.regions.models import Region
from portal.regions.settings import Rule, Setting, Type, setting

SETTINGS: Final = (
    Setting(
        key="visitors.longest_stay_days",
        type=Type.NUMBER,
        default=7,
        title=lazy("Longest stay of a visitor"),
        about=lazy("From the first to the last moment of an invitation."),
        unit=lazy("days"),
        rule=Rule.TIGHTEN,
        least=1,
        most=90,
    ),
    Setting(
        key="visitors.furthest_start_days",
        type=Type.NUMBER,
        default=14,
        title=lazy("How far ahead an invitation may begin"),
        about=lazy("Counted from the day on which the resident asks."),
        unit=lazy("days"),
        rule=Rule.TIGHTEN,
        least=1,
        most=180,
    ),
    Setting(
        key="visitors.most_open",
        type=Type.NUMBER,
        default=10,
        title=lazy("Open invitations of a resident"),
        about=lazy("Waiting or usable at the same time."),
        rule=Rule.TIGHTEN,
        least=1,
        most=100,
    ),
    Setting(
        key="visitors.automatic",
        type=Type.SWITCH,
        default=False,
        title=lazy("Approve invitations at once"),
        about=lazy(
            "Nobody of the office decides; the visitor's pass is there when the resident asks."
        ),
        rule=Rule.TIGHTEN,
    ),
)


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for invitations in a community."""

    longest_stay: timedelta = timedelta(days=7)
    furthest_start: timedelta = timedelta(days=14)
    most_open: int = 10
    automatic: bool = False


def limits_in(session: Session, community: Region) -> Limits:
    """The limits that hold in a community."""
    return Limits(
        longest_stay=timedelta(days=setting(session, community, "visitors.longest_stay_days")),
        furthest_start=timedelta(days=setting(session, community, "visitors.furthest_start_days")),
        most_open=setting(session, community, "visitors.most_open"),
        automatic=setting(session, community, "visitors.automatic"),
    )
