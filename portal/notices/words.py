"""Words that pages and interfaces say about notices."""

from __future__ import annotations

from typing import Any, Final

from portal.core.i18n import _, lazy
from portal.notices.models import Notice, Priority
from portal.notices.queries import SHOWN_NAMES, Shown
from portal.notices.readers import Progress
from portal.residents.models import Relation

TONES: Final[dict[Shown, str]] = {
    Shown.DRAFT: "",
    Shown.SCHEDULED: "info",
    Shown.PUBLISHED: "good",
    Shown.EXPIRED: "",
    Shown.WITHDRAWN: "bad",
}
PRIORITIES: Final[dict[Priority, Any]] = {
    Priority.NORMAL: lazy("Normal"),
    Priority.URGENT: lazy("Urgent"),
}
AUDIENCES: Final[dict[str, Any]] = {
    "": lazy("Everybody who lives there"),
    Relation.OWNER: lazy("Owners only"),
    Relation.TENANT: lazy("Tenants only"),
    Relation.FAMILY: lazy("Family members only"),
    Relation.EMPLOYEE: lazy("Household employees only"),
}
PROGRESS: Final[dict[Progress, Any]] = {
    Progress.OPEN: lazy("Nobody yet"),
    Progress.PARTLY: lazy("In part"),
    Progress.DONE: lazy("All"),
}


def places_text(notice: Notice) -> str:
    """Where it goes: the whole region, or its buildings and units by name."""
    if not notice.narrowed:
        return notice.region.name
    names = [
        place.building.name
        if place.building is not None
        else f"{place.unit.building.name} {place.unit.name}"
        if place.unit is not None
        else ""
        for place in notice.places
    ]
    return f"{notice.region.name} · {_(', ').join(names)}"


def audience_text(notice: Notice) -> str:
    """Where it goes and for whom."""
    if not notice.relation:
        return places_text(notice)
    return f"{places_text(notice)} · {AUDIENCES[notice.relation]}"


NAMES: Final[dict[str, Any]] = {
    "notice_names": SHOWN_NAMES,
    "notice_tones": TONES,
    "audience_names": AUDIENCES,
    "priority_names": PRIORITIES,
    "progress_names": PROGRESS,
    "places_text": places_text,
    "audience_text": audience_text,
}
"""What templates of notices may use."""
