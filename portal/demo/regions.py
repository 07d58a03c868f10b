"""What has happened to the demo's regions, and what they have set: so that their pages have something to show."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from portal.core.permissions import SYSTEM
from portal.demo.places import Places
from portal.regions import changes
from portal.regions.models import Dwelling, Level, Region, RegionSetting, Unit

SHARE_OF_THE_FIRST_GRID = 2
"""Buildings that the first grid looks after; the others are the second one's."""


def tell_regions(session: Session, places: Places, now: datetime) -> None:
    """A grid that was renamed, dwellings given to grids, settings of the county and the community."""
    community = places.community
    grids = session.scalars(
        select(Region).where(Region.parent_id == community.id).order_by(Region.code)
    ).all()
    grids[1].name = "南片网格"
    session.flush()
    changes.rename(session, SYSTEM, grids[1], "第二网格", "网格统一编号", now - timedelta(days=40))
    for place, building in enumerate(places.buildings):
        grid = grids[0] if place < SHARE_OF_THE_FIRST_GRID else grids[1]
        units = select(Unit.id).where(Unit.building_id == building.id)
        session.execute(update(Dwelling).where(Dwelling.unit_id.in_(units)).values(grid_id=grid.id))
    for region, key, value in (
        (places.regions[Level.COUNTY], "visitors.longest_stay_days", 7),
        (places.regions[Level.COUNTY], "visitors.furthest_start_days", 14),
        (community, "visitors.furthest_start_days", 10),
    ):
        session.add(
            RegionSetting(region_id=region.id, key=key, value=value, set_at=now, set_by=None)
        )
    session.flush()
