"""Pages of staff about places: a building with its dwellings, one dwelling with what features know of it."""

from __future__ import annotations

from flask import Blueprint, render_template

from portal.core.actors import current_actor, staff_required
from portal.core.dwelling_page import Place, Section
from portal.features import parts
from portal.regions import queries
from portal.services import current_services

blueprint = Blueprint("dwellings", __name__, template_folder="templates")


@blueprint.get("/work/buildings/<int:building_id>")
@staff_required
def building(building_id: int) -> str:
    """The dwellings of a building, stair by stair."""
    with current_services().db.read() as session:
        row, community = queries.load_building(session, current_actor(), building_id)
        stairs = [
            (unit, queries.dwellings(session, community.id, unit.id))
            for unit in queries.units(session, community.id, row.id)
        ]
    return render_template(
        "dwellings/building.html", building=row, community=community, stairs=stairs
    )


@blueprint.get("/work/dwellings/<int:dwelling_id>")
@staff_required
def dwelling(dwelling_id: int) -> str:
    """Who lives there, masked; vehicles, devices and the last passages, each as far as the role reaches."""
    services, actor = current_services(), current_actor()
    now = services.clock()
    sections: list[Section] = []
    with services.db.read() as session:
        row, community = queries.load_dwelling(session, actor, dwelling_id)
        place = Place(row.id, row.unit.building_id, community.id, community.path)
        for part in parts("at_home"):
            section = part.section(session, actor, place, now)
            if section is not None:
                sections.append(section)
    sections.sort(key=lambda each: each.rank)
    return render_template(
        "dwellings/dwelling.html", dwelling=row, community=community, sections=sections
    )
