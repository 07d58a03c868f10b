"""The forms of notices. What is right or wrong is said by :mod:`portal.notices.draft` and the operations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    BooleanField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.widgets import CheckboxInput, DateTimeLocalInput, ListWidget

from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.notices.audience import Audience
from portal.notices.draft import Draft, faults
from portal.notices.models import Notice, Priority
from portal.notices.text import many_lines, one_line
from portal.notices.words import AUDIENCES, PRIORITIES
from portal.regions.models import Building, Region, Unit

FORMAT: Final = "%Y-%m-%dT%H:%M"
DEFAULT_LIFE: Final = timedelta(days=30)


def _relations() -> list[Any]:
    return [SelectChoice(value=str(v), label=name) for v, name in AUDIENCES.items()]


def _priorities() -> list[Any]:
    return [SelectChoice(value=str(v), label=name) for v, name in PRIORITIES.items()]


class NoticeForm(FlaskForm):  # type: ignore[misc]  # flask_wtf ships no types
    """A notice as staff write it. Times are those of the region's clocks."""

    title = StringField(lazy("Title"))
    body = TextAreaField(lazy("Text"))
    region = SelectField(lazy("Where"), validate_choice=False)
    places = SelectMultipleField(
        lazy("Only these buildings or units"),
        validate_choice=False,
        option_widget=CheckboxInput(),
        widget=ListWidget(),
    )
    relation = SelectField(lazy("For whom"), choices=_relations, validate_choice=False)
    priority = RadioField(
        lazy("Priority"), choices=_priorities, default="normal", validate_choice=False
    )
    confirm = BooleanField(lazy("Ask for “I have read and understood”"))
    confirm_by = StringField(lazy("Confirm until"), widget=DateTimeLocalInput())
    publish_at = StringField(lazy("Publish at"), widget=DateTimeLocalInput())
    expires_at = StringField(lazy("Show until"), widget=DateTimeLocalInput())
    pinned = BooleanField(lazy("Pin to the top of the list"))
    public = BooleanField(lazy("Show on the public page too"))
    again = BooleanField(lazy("Ask everybody to read it again"))

    def offer(
        self, regions: Sequence[Region], places: Iterable[tuple[Building, list[Unit]]]
    ) -> None:
        """Say which regions, buildings and units can be chosen."""
        self.region.choices = [
            SelectChoice(value=str(region.id), label=region.name) for region in regions
        ]
        choices = []
        for building, units in places:
            choices.append(SelectChoice(value=f"b{building.id}", label=building.name))
            choices += [
                SelectChoice(value=f"u{unit.id}", label=f"{building.name} {unit.name}")
                for unit in units
            ]
        self.places.choices = choices
        offered = {choice.value for choice in choices}
        self.places.data = [value for value in self.places.data or [] if value in offered]

    def propose(self, region: Region, now: datetime) -> None:
        """Fill in an empty form: the region, and an end in a month."""
        self.region.data = str(region.id)
        end = (now + DEFAULT_LIFE).astimezone(ZoneInfo(region.timezone))
        self.expires_at.data = end.replace(minute=0).strftime(FORMAT)

    def fill(self, notice: Notice) -> None:
        """Show a notice as it stands."""
        zone = ZoneInfo(notice.region.timezone)
        for name in ("title", "body", "priority", "confirm", "pinned", "public", "relation"):
            self[name].data = getattr(notice, name)
        self.region.data = str(notice.region_id)
        self.places.data = [
            f"b{place.building_id}" if place.building_id is not None else f"u{place.unit_id}"
            for place in notice.places
        ]
        for name in ("confirm_by", "publish_at", "expires_at"):
            moment = getattr(notice, name)
            self[name].data = moment.astimezone(zone).strftime(FORMAT) if moment else ""

    def audience(self, region_id: int) -> Audience:
        """Whom the form names, in this region."""
        return audience_of(region_id, self.places.data or [], self.relation.data or "")

    def draft(self, region: Region, now: datetime, notice: Notice | None = None) -> Draft | None:
        """What was entered, or ``None`` with a sentence beside every field that is at fault.

        Args:
            notice: the published notice that is edited; its audience and start stand.
        """
        zone = ZoneInfo(region.timezone)
        sound = self.validate()
        draft = Draft(
            title=one_line(self.title.data or ""),
            body=many_lines(self.body.data or ""),
            audience=self.audience(region.id),
            priority=self.priority.data or Priority.NORMAL,
            confirm=bool(self.confirm.data),
            confirm_by=_moment(self.confirm_by, zone),
            publish_at=None if notice else _moment(self.publish_at, zone),
            expires_at=_moment(self.expires_at, zone),
            pinned=bool(self.pinned.data),
            public=bool(self.public.data),
        )
        for fault in faults(draft, now, published=notice is not None):
            self.take(fault)
        return draft if sound and not self.errors else None

    def take(self, fault: DomainError) -> None:
        """Put a fault beside its field, or above all of them."""
        if fault.field in self._fields:
            blame(self[fault.field], fault.message)
        else:
            self.form_errors.append(str(fault.message))


class FileForm(FlaskForm):  # type: ignore[misc]
    """One attachment."""

    file = FileField(lazy("Picture or PDF"))


class ReasonForm(FlaskForm):  # type: ignore[misc]
    """Why a notice is taken back."""

    reason = TextAreaField(lazy("Reason, for the readers"))


def audience_of(region_id: int, places: Iterable[str], relation: str) -> Audience:
    """An audience from ``b12`` for buildings and ``u34`` for units; nonsense is left out."""
    chosen: dict[str, set[int]] = {"b": set(), "u": set()}
    for value in places:
        kind, number = value[:1], value[1:10]
        if kind in chosen and number.isascii() and number.isdigit():
            chosen[kind].add(int(number))
    return Audience(region_id, frozenset(chosen["b"]), frozenset(chosen["u"]), relation)


def blame(field: Any, message: Any) -> None:
    """Put a sentence beside a field, unless there is one already."""
    if not field.errors:
        field.errors = [str(message)]


def _moment(field: Any, zone: ZoneInfo) -> datetime | None:
    typed = (field.data or "").strip()
    if not typed:
        return None
    try:
        return datetime.strptime(typed[:16], FORMAT).replace(tzinfo=zone)
    except ValueError:
        blame(field, lazy("Enter date and time, for example 2026-03-02 16:30."))
        return None
