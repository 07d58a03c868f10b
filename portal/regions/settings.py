"""Settings per region: what there is to set, and the value that holds in a region.

A room registers its own by a module ``settings`` with a tuple ``SETTINGS`` (:mod:`portal.features`)
and reads them by :func:`setting`. A value made on a region holds for the whole subtree; what a level
below may do about it is the setting's rule::

    tighten   below, only what is tighter counts (a shorter stay, an approval that is asked for)
    extend    below, only what is wider counts
    free      the nearest value counts

A value below that the rule does not allow (any more) stays stored and does not count: it counts
again when the level above loosens. The first value from the top replaces the default freely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.i18n import lazy
from portal.features import parts
from portal.regions.models import Level, Region, RegionSetting

_CACHE: Final = "region_settings"


class Rule(StrEnum):
    """What a level below may do."""

    TIGHTEN = "tighten"
    EXTEND = "extend"
    FREE = "free"


class Type(StrEnum):
    """What a value is."""

    NUMBER = "number"
    SWITCH = "switch"
    TEXT = "text"


ABOVE_GRID: Final = frozenset(Level) - {Level.GRID}


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing to set.

    Args:
        key: ``room.what``; stable.
        default: holds where nobody set anything; ``None`` is the installation's own value.
        unit: said after the value (lazy), for numbers.
        least, most: bounds of a number.
        choices: what a text may be, each with its name.
        smaller_is_tighter: direction of the rule; for a switch, whether "off" is the tight side.
        levels: which levels may set it.
    """

    key: str
    type: Type
    default: Any
    title: Any
    about: Any
    rule: Rule = Rule.FREE
    unit: Any = None
    least: int = 0
    most: int = 1_000_000
    choices: tuple[tuple[str, Any], ...] = ()
    smaller_is_tighter: bool = True
    levels: frozenset[Level] = ABOVE_GRID

    def fits(self, value: Any) -> bool:
        """Whether something is a value of this setting at all."""
        if self.type is Type.SWITCH:
            return isinstance(value, bool)
        if self.type is Type.NUMBER:
            whole = isinstance(value, int) and not isinstance(value, bool)
            return whole and self.least <= value <= self.most
        return value in [choice for choice, _name in self.choices]

    def allows(self, above: Any, value: Any) -> bool:
        """Whether a value may stand below one from above."""
        if self.rule is Rule.FREE or value == above:
            return True
        tighter = value < above if self.smaller_is_tighter else value > above
        return bool(tighter) == (self.rule is Rule.TIGHTEN)


@dataclass(frozen=True, slots=True)
class Standing:
    """A setting as it stands in a region.

    ``origin`` is the region whose value counts, ``None`` for the default; ``above`` what would count
    without a value of the region's own; ``own`` that value, ``counts`` whether it is in force.
    """

    setting: Setting
    value: Any
    origin: int | None
    above: Any
    above_origin: int | None
    own: Any = None
    counts: bool = True


ZONES: Final[tuple[tuple[str, Any], ...]] = (
    ("Asia/Shanghai", lazy("China (UTC+8)")),
    ("Asia/Urumqi", lazy("Xinjiang (UTC+6)")),
    ("Asia/Hong_Kong", lazy("Hong Kong (UTC+8)")),
    ("Asia/Macau", lazy("Macao (UTC+8)")),
    ("Asia/Taipei", lazy("Taipei (UTC+8)")),
)
SETTINGS: Final = (
    Setting(
        key="regions.timezone",
        type=Type.TEXT,
        default="Asia/Shanghai",
        title=lazy("Time zone"),
        about=lazy("The clock of the place: times that residents enter, days of a register."),
        choices=ZONES,
    ),
)


@cache
def registry() -> Mapping[str, Setting]:
    """Every setting of this installation by key, in the order of the features."""
    found: dict[str, Setting] = {}
    for module in parts("settings"):
        for one in module.SETTINGS:
            if one.key in found:
                raise ValueError(f"two settings are called {one.key}")
            found[one.key] = one
    return found


def setting(session: Session, region: Region, key: str) -> Any:
    """The value that holds in a region; read once a session and region.

    Raises:
        KeyError: no room registers this key.
    """
    one = registry()[key]
    remembered: dict[str, dict[str, list[tuple[int, Any]]]] = session.info.setdefault(_CACHE, {})
    stored = remembered.get(region.path)
    if stored is None:
        stored = remembered[region.path] = _stored(session, region)
    return _resolve(one, region.id, stored.get(key, ())).value


def forget(session: Session) -> None:
    """Read again what was remembered: a setting or the tree was changed in this session."""
    session.info.pop(_CACHE, None)


def standings(session: Session, region: Region) -> list[Standing]:
    """Every setting as it stands in a region."""
    stored = _stored(session, region)
    return [_resolve(one, region.id, stored.get(one.key, ())) for one in registry().values()]


def _stored(session: Session, region: Region) -> dict[str, list[tuple[int, Any]]]:
    """Values on the way down to a region, top first, by key."""
    ids = [int(part) for part in region.path.strip("/").split("/")]
    place = {region_id: depth for depth, region_id in enumerate(ids)}
    rows = session.scalars(select(RegionSetting).where(RegionSetting.region_id.in_(ids))).all()
    found: dict[str, list[tuple[int, Any]]] = {}
    for row in sorted(rows, key=lambda r: place[r.region_id]):
        found.setdefault(row.key, []).append((row.region_id, row.value))
    return found


def _resolve(one: Setting, region_id: int, stored: Sequence[tuple[int, Any]]) -> Standing:
    value, origin = one.default, None
    above, above_origin = value, origin
    own, counts = None, True
    for where, made in stored:
        ok = one.fits(made) and (origin is None or one.allows(value, made))
        if where == region_id:
            own, counts = made, ok
            above, above_origin = value, origin
        if ok:
            value, origin = made, where
    if own is None:
        above, above_origin = value, origin
    return Standing(one, value, origin, above, above_origin, own, counts)
