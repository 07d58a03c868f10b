"""The three lists of the dwelling's step, which depend on each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice

from portal.core.i18n import lazy
from portal.regions import queries as regions
from portal.residents.forms import DwellingForm


def offer(session: Session, community_id: int, form: DwellingForm) -> None:
    """Fill the lists; a choice that does not fit any more is dropped, and an only unit is chosen."""
    form.building.choices = _listed(
        (b.id, b.name) for b in regions.buildings(session, community_id)
    )
    building = _chosen(form.building)
    form.unit.choices = _listed(
        (u.id, u.name) for u in regions.units(session, community_id, building or 0)
    )
    if len(form.unit.choices) == 2:
        form.unit.data = form.unit.choices[1].value
    unit = _chosen(form.unit)
    form.dwelling.choices = _listed(
        (d.id, d.number) for d in regions.dwellings(session, community_id, unit or 0)
    )
    _chosen(form.dwelling)


def _listed(rows: Iterable[tuple[int, str]]) -> list[SelectChoice]:
    choices = [SelectChoice(str(number), name) for number, name in rows]
    return [SelectChoice("", lazy("Choose")), *choices]


def _chosen(field: Any) -> int | None:
    """The chosen id if it is offered; else the choice is dropped."""
    if field.data and field.data in {choice.value for choice in field.choices}:
        return int(field.data)
    field.data = ""
    return None
