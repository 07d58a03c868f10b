"""Notices for tests: written, released, read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from portal.core.permissions import Actor, Role
from portal.notices import operations, queries, receipts
from portal.notices.audience import Audience
from portal.notices.draft import Draft
from portal.notices.models import Notice
from tests.portal.world import START, World

END = START + timedelta(days=7)


def draft(world: World, **values: Any) -> Draft:
    """For the whole of spring, for a week."""
    whole = Audience(world.regions["spring"])
    plain = Draft("明天停水", "明天 8:00–12:00 停水，请提前储水。", whole, expires_at=END)
    return replace(plain, **values)


def building(world: World, name: str = "spring 1号楼") -> Audience:
    """One building of spring."""
    return Audience(world.regions["spring"], frozenset({world.buildings[name]}))


def worker(world: World) -> Actor:
    return world.staff(Role.WORKER)


def written(world: World, actor: Actor | None = None, **values: Any) -> int:
    with world.db.write() as session:
        made = operations.create(
            session, actor or worker(world), draft(world, **values), world.clock()
        )
        return made.id


def released(world: World, actor: Actor | None = None, **values: Any) -> int:
    actor = actor or worker(world)
    notice_id = written(world, actor, **values)
    with world.db.write() as session:
        operations.release(session, actor, notice_id, world.clock())
    return notice_id


def edited(world: World, notice_id: int, *, again: bool = False, **values: Any) -> None:
    with world.db.write() as session:
        seen = session.get_one(Notice, notice_id).version
        operations.edit(
            session,
            worker(world),
            notice_id,
            draft(world, **values),
            seen=seen,
            now=world.clock(),
            again=again,
        )


def withdrawn(world: World, notice_id: int, reason: str = "时间有变") -> None:
    with world.db.write() as session:
        operations.withdraw(session, worker(world), notice_id, reason, world.clock())


def read(world: World, notice_id: int, who: str = "resident") -> None:
    with world.db.write() as session:
        receipts.read(session, world.resident(who), notice_id, world.clock())


def confirmed(
    world: World, notice_id: int, who: str = "resident", revision: int | None = None
) -> None:
    with world.db.write() as session:
        revision = revision or session.get_one(Notice, notice_id).revision
        receipts.confirm(session, world.resident(who), notice_id, revision, world.clock())


def stored(world: World, notice_id: int) -> Notice:
    with world.db.read() as session:
        return queries.whole(session, session.get_one(Notice, notice_id))


def listed(world: World, who: str = "resident", *, earlier: bool = False) -> list[queries.Mine]:
    with world.db.read() as session:
        page = queries.own(session, world.residents[who], world.clock(), 1, earlier=earlier)
        return list(page.items)
