"""The same on SQLite and on PostgreSQL: audiences, receipts, counts, lists, work."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from portal.core import migrate
from portal.core.db import Database
from portal.core.permissions import Role
from portal.notices import chasing, queries, readers, receipts
from portal.notices.queries import Shown
from portal.notices.readers import Progress
from portal.notices.work import SOURCES
from tests.portal.notices.written import (
    building,
    confirmed,
    edited,
    listed,
    read,
    released,
    stored,
    withdrawn,
    worker,
    written,
)
from tests.portal.world import START, Ticking, World, install, lay_out, new_keys


@pytest.fixture
def world(database_url: str) -> Iterator[World]:
    """The small world on each engine, its schema made by the migrations."""
    install(new_keys())
    database = Database(database_url)
    migrate.upgrade(database)
    yield lay_out(database, Ticking())
    database.close()


def test_a_notice_goes_its_way(world: World) -> None:
    one = released(
        world, audience=building(world), confirm=True, confirm_by=START + timedelta(days=1)
    )
    everybody = released(world, priority="urgent", public=True)
    draft = written(world)
    with world.db.write() as session:
        receipts.deliver(session, world.residents["resident"], [one, everybody], START)
        receipts.deliver(session, world.residents["resident"], [everybody, one], START)
    confirmed(world, one)
    read(world, everybody, "neighbour")
    edited(world, everybody, body="改了。", public=True, again=True)
    with world.db.write() as session:
        chasing.remind(session, worker(world), everybody, START)
    assert [m.notice.id for m in listed(world)] == [everybody, one]
    with world.db.read() as session:
        notice = stored(world, one)
        counts = readers.counts(session, notice)
        assert (counts.reached.people, counts.confirmed.households) == (1, 1)
        assert readers.households_by_progress(session, notice)[Progress.DONE] == 1
        assert len(readers.households(session, notice, Progress.DONE)[0]) == 1
        assert readers.totals(session, [notice, stored(world, everybody)]) == {
            one: (1, 1),
            everybody: (0, 0),
        }
        resident = world.residents["resident"]
        assert queries.count_unread(session, resident, START) == 1
        assert [m.notice.id for m in queries.waiting(session, resident, START, 5)] == [everybody]
        assert [n.id for n in queries.public(session, notice.region, START, 1).items] == [everybody]
        supervisor = world.staff(Role.SUPERVISOR, "county")
        assert queries.count_by_state(session, supervisor, START)[Shown.DRAFT] == 1
        page = queries.for_staff(session, supervisor, Shown.DRAFT, START, 1)
        assert [n.id for n in page.items] == [draft]
        assert SOURCES[0].count(session, worker(world), START + timedelta(days=2)) == 0
    withdrawn(world, one)
    assert [m.notice.id for m in listed(world, earlier=True)] == [one]
