"""Who has a notice, has read it, has confirmed it: counted, and household by household, for staff.

All by query over the audience of now and the receipts; what a former resident did does not count.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, and_, case, func, select
from sqlalchemy.orm import Session, joinedload

from portal.notices import audience
from portal.notices.audience import Reach
from portal.notices.models import Notice, NoticeReceipt
from portal.regions.models import Building, Dwelling, Unit
from portal.residents.models import Residency, Resident

PAGE: Final = 50
"""Households on one page."""
MOST_VISITS: Final = 500
"""Households on one printed list."""


class Progress(StrEnum):
    """How far a household is: nobody, some or all of those addressed have read, or confirmed where asked."""

    OPEN = "open"
    PARTLY = "partly"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Counts:
    """People and households a notice reaches, and how many of them are how far.

    A household counts as soon as one of its people does.
    """

    reached: Reach
    delivered: Reach
    read: Reach
    confirmed: Reach


@dataclass(frozen=True, slots=True)
class Reader:
    """One person of a household. ``done``: read, or confirmed where that is asked."""

    name: str
    delivered: bool
    read: bool
    confirmed: bool
    done: bool


@dataclass(frozen=True, slots=True)
class Household:
    """A dwelling with the people there whom the notice is for."""

    dwelling: Dwelling
    readers: list[Reader]


def _has(column: Any, notice: Notice) -> ColumnElement[bool]:
    return and_(column.is_not(None), column >= notice.asks_revision)


def _done(notice: Notice) -> ColumnElement[bool]:
    """SQL: this person has done what the notice asks for."""
    asked = NoticeReceipt.confirmed_revision if notice.confirm else NoticeReceipt.read_revision
    return _has(asked, notice)


def _beside_receipts(columns: Iterable[Any], notice: Notice) -> Select[Any]:
    return audience.joined(columns, audience.of(notice), notice.region).outerjoin(
        NoticeReceipt,
        and_(NoticeReceipt.resident_id == Resident.id, NoticeReceipt.notice_id == notice.id),
    )


def counts(session: Session, notice: Notice) -> Counts:
    """Count over the audience of now, in one pass."""
    kinds = (
        None,
        NoticeReceipt.notice_id.is_not(None),
        _has(NoticeReceipt.read_revision, notice),
        _has(NoticeReceipt.confirmed_revision, notice),
    )
    columns = []
    for kind in kinds:
        for item in (Resident.id, Dwelling.id):
            counted = item if kind is None else case((kind, item))
            columns.append(func.count(counted.distinct()))
    row = session.execute(_beside_receipts(columns, notice)).one()
    return Counts(*(Reach(row[n], row[n + 1]) for n in range(0, 8, 2)))


def totals(session: Session, notices: Sequence[Notice]) -> dict[int, tuple[int, int]]:
    """Readers and confirmations by notice, from the receipts alone: quick, for lists."""
    ids = [notice.id for notice in notices]
    found: dict[int, list[int]] = {number: [0, 0] for number in ids}
    for place, column in enumerate((NoticeReceipt.read_revision, NoticeReceipt.confirmed_revision)):
        rows = session.execute(
            select(NoticeReceipt.notice_id, func.count())
            .join(Notice, Notice.id == NoticeReceipt.notice_id)
            .where(NoticeReceipt.notice_id.in_(ids), column >= Notice.asks_revision)
            .group_by(NoticeReceipt.notice_id)
        )
        for number, count in rows:
            found[number][place] = count
    return {number: (read, confirmed) for number, (read, confirmed) in found.items()}


def _by_household(notice: Notice, building_id: int | None) -> Select[Any]:
    people = func.count(Resident.id.distinct())
    done = func.count(case((_done(notice), Resident.id)).distinct())
    progress = case(
        (done == 0, Progress.OPEN.value), (done < people, Progress.PARTLY.value),
        else_=Progress.DONE.value,
    )  # fmt: skip
    statement = _beside_receipts(
        (Dwelling.id.label("dwelling_id"), progress.label("progress")), notice
    ).group_by(Dwelling.id)
    return statement.where(Unit.building_id == building_id) if building_id else statement


def households_by_progress(
    session: Session, notice: Notice, building_id: int | None = None
) -> dict[Progress, int]:
    """How many households are how far."""
    inner = _by_household(notice, building_id).subquery()
    rows = session.execute(select(inner.c.progress, func.count()).group_by(inner.c.progress))
    found = {name: int(number) for name, number in rows}
    return {progress: found.get(progress.value, 0) for progress in Progress}


def households(
    session: Session,
    notice: Notice,
    progress: Progress,
    *,
    building_id: int | None = None,
    page: int = 1,
    size: int = PAGE,
) -> tuple[list[Household], bool]:
    """A page of households that are so far, as one walks through the buildings.

    Returns:
        The households, and whether there are more.
    """
    inner = _by_household(notice, building_id).subquery()
    dwellings = session.scalars(
        select(Dwelling)
        .join(inner, inner.c.dwelling_id == Dwelling.id)
        .join(Unit, Unit.id == Dwelling.unit_id)
        .join(Building, Building.id == Unit.building_id)
        .options(joinedload(Dwelling.unit).joinedload(Unit.building))
        .where(inner.c.progress == progress.value)
        .order_by(
            Building.community_id,
            Building.position,
            Building.name,
            Unit.position,
            Unit.name,
            Dwelling.floor,
            func.length(Dwelling.number),
            Dwelling.number,
        )
        .limit(size + 1)
        .offset((page - 1) * size)
    ).all()
    return _with_readers(session, notice, dwellings[:size]), len(dwellings) > size


def _with_readers(
    session: Session, notice: Notice, dwellings: Sequence[Dwelling]
) -> list[Household]:
    rows = session.execute(
        _beside_receipts((Residency.dwelling_id, Resident, NoticeReceipt), notice)
        .where(Residency.dwelling_id.in_([d.id for d in dwellings]))
        .order_by(Residency.dwelling_id, Resident.id)
    )
    found: dict[int, dict[int, Reader]] = {d.id: {} for d in dwellings}
    for dwelling_id, resident, receipt in rows:
        found[dwelling_id][resident.id] = _reader(notice, resident, receipt)
    return [Household(d, list(found[d.id].values())) for d in dwellings]


def _reader(notice: Notice, resident: Resident, receipt: NoticeReceipt | None) -> Reader:
    def has(revision: int | None) -> bool:
        return revision is not None and revision >= notice.asks_revision

    read = receipt is not None and has(receipt.read_revision)
    confirmed = receipt is not None and has(receipt.confirmed_revision)
    return Reader(
        name=resident.name,
        delivered=receipt is not None,
        read=read,
        confirmed=confirmed,
        done=confirmed if notice.confirm else read,
    )
