"""Making and taking back a setting of a region; the time zone is written out on the regions below."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from portal.core import audit
from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission, not_found, require
from portal.regions import settings
from portal.regions.models import Level, Region, RegionSetting
from portal.regions.settings import Rule, Setting, Type

TIMEZONE = "regions.timezone"


def set_value(
    session: Session, actor: Actor, region: Region, key: str, value: Any, now: datetime
) -> None:
    """Set something for a region and all below it.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        DomainError: no such setting, not for this level, out of bounds, or against the rule.
    """
    require(actor, Permission.REGION_SETTINGS, region.path)
    one = _known(region, key)
    if not one.fits(value):
        raise DomainError("setting_value", bounds(one), field=key)
    standing = next(s for s in settings.standings(session, region) if s.setting.key == key)
    if standing.above_origin is not None and not one.allows(standing.above, value):
        raise DomainError("setting_rule", _rule_sentence(one), field=key)
    row = session.scalars(
        select(RegionSetting).where(RegionSetting.region_id == region.id, RegionSetting.key == key)
    ).first()
    if row is None:
        session.add(
            RegionSetting(
                region_id=region.id, key=key, value=value, set_at=now, set_by=actor.user_id
            )
        )
    else:
        row.value, row.set_at, row.set_by = value, now, actor.user_id
    session.flush()
    _changed(session, actor, region, key, value)


def clear_value(session: Session, actor: Actor, region: Region, key: str) -> None:
    """Take a region's own value back: what holds above holds again.

    Raises:
        NotFoundError, ForbiddenError, DomainError: as for :func:`set_value`.
    """
    require(actor, Permission.REGION_SETTINGS, region.path)
    _known(region, key)
    session.execute(
        delete(RegionSetting).where(RegionSetting.region_id == region.id, RegionSetting.key == key)
    )
    _changed(session, actor, region, key, None)


def _known(region: Region, key: str) -> Setting:
    one = settings.registry().get(key)
    if one is None:
        raise not_found()
    if Level(region.level) not in one.levels:
        raise DomainError(
            "setting_level", lazy("This is not set on a region of this level."), field=key
        )
    return one


def _changed(session: Session, actor: Actor, region: Region, key: str, value: Any) -> None:
    settings.forget(session)
    if key == TIMEZONE:
        write_zones(session, region)
    audit.record(
        session,
        actor,
        "region.setting",
        ("region", region.id),
        path=region.path,
        key=key,
        value=value,
    )


def write_zones(session: Session, top: Region) -> None:
    """Write the time zone that holds on every region from ``top`` down.

    A query a setter below; regions in between take the value of the nearest one above them.
    """
    setters = session.scalars(
        select(Region)
        .join(RegionSetting, RegionSetting.region_id == Region.id)
        .where(
            RegionSetting.key == TIMEZONE,
            Region.path.startswith(top.path, autoescape=True),
            Region.id != top.id,
        )
        .order_by(Region.path)
    ).all()
    for region in sorted([top, *setters], key=lambda r: len(r.path)):
        zone = settings.setting(session, region, TIMEZONE)
        session.execute(
            update(Region)
            .where(Region.path.startswith(region.path, autoescape=True), Region.timezone != zone)
            .values(timezone=zone)
            .execution_options(synchronize_session=False)
        )
    session.expire(top, ["timezone"])


def bounds(one: Setting) -> Any:
    """The sentence that says what a value may be."""
    if one.type is Type.NUMBER:
        return lazy(
            "Enter a whole number from %(least)s to %(most)s.", least=one.least, most=one.most
        )
    return lazy("Choose a value from the list.")


def _rule_sentence(one: Setting) -> Any:
    if (one.rule is Rule.TIGHTEN) == one.smaller_is_tighter:
        if one.type is Type.SWITCH:
            return lazy("The level above has switched this off; it cannot be switched on below.")
        return lazy("The level above allows no more than its own value. Choose a smaller one.")
    if one.type is Type.SWITCH:
        return lazy("The level above has switched this on; it cannot be switched off below.")
    return lazy("The level above asks for no less than its own value. Choose a larger one.")
