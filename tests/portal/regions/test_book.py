"""The book of dwellings: generated or imported, twice is once, doors are told apart."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from portal.core.errors import ConflictError, DomainError, ForbiddenError, NotFoundError
from portal.core.permissions import Role
from portal.regions import book, dwelling_import, generator, queries, tree
from portal.regions.generator import Pattern
from portal.regions.models import Building, Dwelling, Region, Unit
from tests.portal.regions.conftest import County

HOME = "990101001001"
GOOD = Pattern(first=1, last=2, units=2, floors=3, doors=2)


def community(session) -> Region:
    found = tree.find(session, HOME)
    assert found is not None
    return found


def write(county: County, pattern: Pattern = GOOD, actor=None) -> book.Shelf:
    with county.db.write() as session:
        return book.write(
            session, actor or county.admin, community(session), generator.entries(pattern)
        )


def rows(county: County, model) -> int:
    with county.db.read() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def take(county: County, text: str, *, only_look: bool = False):
    with county.db.write() as session:
        act = dwelling_import.plan if only_look else dwelling_import.apply
        return act(session, county.admin, community(session), text.encode())


def test_patterns_make_buildings_units_and_dwellings_once(county: County):
    shelf = write(county)
    assert (shelf.buildings, shelf.units, shelf.dwellings, shelf.existing) == (2, 4, 24, 0)
    again = write(county)
    assert (again.buildings, again.units, again.dwellings, again.existing) == (0, 0, 0, 24)
    higher = write(county, replace(GOOD, floors=4))
    assert (higher.dwellings, higher.existing) == (8, 24)
    assert [rows(county, model) for model in (Building, Unit, Dwelling)] == [2, 4, 32]
    with county.db.read() as session:
        place = community(session)
        first = queries.buildings(session, place.id)[0]
        unit = queries.units(session, place.id, first.id)[0]
        doors = queries.dwellings(session, place.id, unit.id)
        assert [d.label for d in doors][:3] == [
            "1号楼 1单元 101",
            "1号楼 1单元 102",
            "1号楼 1单元 201",
        ]


def test_a_look_at_a_pattern_writes_nothing(here: County):
    with here.db.read() as session:
        shelf = book.look(session, community(session), generator.entries(GOOD))
    assert shelf.dwellings == 24
    assert rows(here, Dwelling) == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"building": "楼"}, "building"),
        ({"building": "{x}号楼"}, "building"),
        ({"building": "{n"}, "building"),
        ({"building": "{n.__class__}"}, "building"),
        ({"building": "<b>{n}</b>"}, "building"),
        ({"building": "={n}"}, "building"),
        ({"building": "{n}" + "楼" * 60}, "building"),
        ({"unit": "单元"}, "unit"),
        ({"number": "{floor}"}, "number"),
        ({"number": "{door}"}, "number"),
        ({"number": "{n}{floor}{door}"}, "number"),
        ({"number": "{floor}{door}" + "1" * 20}, "number"),
        ({"first": -1}, "first"),
        ({"last": 0}, "last"),
        ({"last": 5000}, "last"),
        ({"units": 0}, "units"),
        ({"floors": 81}, "floors"),
        ({"doors": 61}, "doors"),
        ({"last": 300, "floors": 80}, "last"),
        ({"number": "{floor}{door}", "floors": 11, "doors": 11}, "number"),
    ],
)
def test_a_pattern_that_cannot_be_says_so_at_its_field(change, field):
    found = generator.faults(replace(GOOD, **change))
    assert [fault.field for fault in found] == [field]
    with pytest.raises(DomainError):
        generator.entries(replace(GOOD, **change))


@given(
    st.builds(
        Pattern,
        building=st.text(max_size=12).map(lambda t: t + "{n}"),
        first=st.integers(-2, 30),
        last=st.integers(-2, 30),
        unit=st.text(max_size=6),
        units=st.integers(0, 3),
        floors=st.integers(0, 12),
        doors=st.integers(0, 12),
        number=st.sampled_from(["{floor}{door:2}", "{floor}{door}", "{floor:2}-{door}", "{", ""]),
    )
)
def test_whatever_the_pattern_no_two_dwellings_are_alike(pattern):
    if generator.faults(pattern):
        return
    made = generator.entries(pattern)
    assert len({entry.key for entry in made}) == len(made)
    assert len({entry.label for entry in made}) == len(made)


def test_dwellings_come_from_a_file_once_with_their_grids(county: County):
    text = "楼栋,单元,楼层,房号,网格\n1号楼,1单元,1,101,01\n１号楼,1单元,,102,第二网格\n2号楼,,-1,B01,\n"
    plan = take(county, text)
    assert (plan.shelf.buildings, plan.shelf.dwellings) == (2, 3)
    again = take(county, text).shelf
    assert (again.dwellings, again.existing, again.regridded) == (0, 3, 0)
    moved = take(county, "楼栋,房号,网格\n1号楼,101,99010100100102\n").shelf
    assert (moved.existing, moved.regridded) == (1, 1)
    with county.db.read() as session:
        grids = dict(
            session.execute(
                select(Dwelling.number, Region.code).outerjoin(
                    Region, Region.id == Dwelling.grid_id
                )
            ).all()
        )
        floors = set(session.scalars(select(Dwelling.floor)))
    assert grids == {"101": "99010100100102", "102": "99010100100102", "B01": None}
    assert floors == {1, -1}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("1号楼,1单元,1,101,", []),
        (",1单元,1,101,", [(2, "cell_empty")]),
        ("1号楼,1单元,1,,", [(2, "cell_empty")]),
        ("1号楼,1单元,1,101,77", [(2, "grid_unknown")]),
        ("1号楼,1单元,高,101,", [(2, "floor")]),
        ("1号楼,1单元,9999999,101,", [(2, "floor")]),
        ("1号楼,1单元,,A,", [(2, "floor")]),
        ("=1+1,1单元,1,101,", [(2, "cell_formula")]),
        ("<i>,1单元,1,101,", [(2, "cell_html")]),
        (f"{'楼' * 50},1单元,1,101,", [(2, "name_long")]),
        ("1号楼,1单元,1,12345678901234567,", [(2, "name_long")]),
        ("1号楼,1单元,1,101,\n１号楼,1单元,1,１０１,", [(3, "duplicate")]),
    ],
)
def test_what_is_wrong_with_a_dwelling_is_said_by_its_line(here: County, line, expected):
    plan = take(here, f"building,unit,floor,number,grid\n{line}\n", only_look=True)
    assert [(f.line, f.code) for f in plan.faults] == expected


def test_a_file_with_a_fault_writes_nothing(here: County):
    with pytest.raises(ConflictError):
        take(here, "building,number\n1号楼,101\n1号楼,=1\n")
    assert rows(here, Dwelling) == 0


def test_buildings_are_given_to_a_grid_and_taken_back(county: County):
    write(county)
    with county.db.write() as session:
        place = community(session)
        first = queries.buildings(session, place.id)[0].id
        assert book.assign_grid(session, county.admin, place, {first}, "99010100100101") == 12
        assert book.assign_grid(session, county.admin, place, {first}, "99010100100101") == 0
        page = book.buildings_page(session, place, 1)
        assert [(r.units, r.dwellings, r.grids) for r in page.items] == [
            (2, 12, ("第一网格",)),
            (2, 12, ()),
        ]
        assert book.assign_grid(session, county.admin, place, {first}, "") == 12
        for chosen, grid in [(set(), "99010100100101"), ({first}, "990101001001")]:
            with pytest.raises(DomainError):
                book.assign_grid(session, county.admin, place, chosen, grid)


def test_who_may_write_in_the_book(here: County):
    for role, where, error in [
        (Role.MANAGER, HOME, None),
        (Role.SUPERVISOR, "990101001000", None),
        (Role.SYSTEM_ADMIN, "990000000000", None),
        (Role.WORKER, HOME, ForbiddenError),
        (Role.GATEKEEPER, HOME, ForbiddenError),
        (Role.HEALTH_WORKER, HOME, ForbiddenError),
        (Role.AUDIT_ADMIN, "990000000000", ForbiddenError),
        (Role.MANAGER, "990101001002", NotFoundError),
    ]:
        actor = here.actor(role, where)
        if error is None:
            write(here, actor=actor)
            continue
        with pytest.raises(error):
            write(here, actor=actor)


def test_two_who_generate_the_same_at_once_make_it_once(county: County):
    ready, made = threading.Barrier(2), []

    def go() -> None:
        ready.wait(10)
        made.append(write(county).dwellings)

    threads = [threading.Thread(target=go) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(made) == [0, 24]
    assert rows(county, Dwelling) == 24
