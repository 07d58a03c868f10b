"""How long each step takes in a community, and when its buttons cause concern.

Defaults come from EN 50134: human contact within 60 s, heartbeat at most 15 minutes apart, weekly tests.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission
from portal.regions.queries import load_community
from portal.telecare.alarm_models import Stage
from portal.telecare.models import TelecareSettings


@dataclass(frozen=True, slots=True)
class Settings:
    """Durations in the unit of their name."""

    cancel_seconds: int = 15
    phantom_seconds: int = 20
    contact_seconds: int = 60
    duty_seconds: int = 60
    supervisor_seconds: int = 120
    all_seconds: int = 180
    arrival_minutes: int = 15
    silent_minutes: int = 15
    low_battery_percent: int = 20
    test_days: int = 7

    def patience(self, stage: Stage) -> int:
        """Seconds that those told on a rung have before the next one."""
        return {
            Stage.CONTACT: self.contact_seconds,
            Stage.DUTY: self.duty_seconds,
            Stage.SUPERVISOR: self.supervisor_seconds,
        }.get(stage, self.all_seconds)


LIMITS: Final[dict[str, tuple[int, int]]] = {
    "cancel_seconds": (0, 60),
    "phantom_seconds": (0, 120),
    "contact_seconds": (10, 600),
    "duty_seconds": (10, 600),
    "supervisor_seconds": (10, 900),
    "all_seconds": (30, 1800),
    "arrival_minutes": (2, 120),
    "silent_minutes": (2, 1440),
    "low_battery_percent": (5, 60),
    "test_days": (1, 60),
}
"""Smallest and largest value of each setting."""


def settings_of(session: Session, community_id: int) -> Settings:
    """What holds in this community."""
    row = session.get(TelecareSettings, community_id)
    if row is None:
        return Settings()
    return Settings(**{f.name: getattr(row, f.name) for f in fields(Settings)})


def faults(values: dict[str, int | None]) -> list[DomainError]:
    """Everything that is wrong with values entered, each with its field."""
    wrong = []
    for name, (lowest, highest) in LIMITS.items():
        value = values.get(name)
        if value is None or not lowest <= value <= highest:
            wrong.append(
                DomainError(
                    "out_of_range",
                    lazy(
                        "Enter a whole number from %(lowest)s to %(highest)s.",
                        lowest=lowest,
                        highest=highest,
                    ),
                    field=name,
                )
            )
    return wrong


def change(session: Session, actor: Actor, community_id: int, wanted: Settings) -> None:
    """Set how a community handles alarms; running timers keep the time they were given.

    Raises:
        DomainError: a value is out of range.
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
    """
    community = load_community(session, actor, Permission.TELECARE_MANAGE, community_id)
    values: dict[str, Any] = asdict(wanted)
    for fault in faults(values):
        raise fault
    row = session.get(TelecareSettings, community_id)
    if row is None:
        session.add(TelecareSettings(community_id=community_id, **values))
    else:
        for name, value in values.items():
            setattr(row, name, value)
    session.flush()
    audit.record(
        session,
        actor,
        "telecare.settings",
        ("region", community_id),
        path=community.path,
        **values,
    )
