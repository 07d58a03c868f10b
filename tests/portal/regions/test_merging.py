"""Merging and splitting: everything moves at once, old codes lead on, of two at once one wins."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select

from portal.core.errors import ConflictError, DomainError, ForbiddenError, NotFoundError
from portal.core.permissions import SYSTEM, Role
from portal.devices.models import Device
from portal.regions import belongings, changes, merging, queries, setting_changes, splitting, tree
from portal.regions.models import Building, Dwelling, Region, RegionHistory, Unit
from portal.regions.splitting import SplitDraft
from portal.residents.models import Resident
from tests.portal.cast import OTHER_USCC, Town
from tests.portal.regions.conftest import NOW, County


def merge(county: County, source: str, target: str, actor=SYSTEM) -> None:
    with county.db.write() as session:
        merging.merge(
            session, actor, county.region(source).id, county.region(target).id, "撤并", NOW
        )


def test_a_township_goes_into_another_with_all_below(county: County):
    merge(county, "990101001000", "990101002000")
    county.whole()
    codes = county.codes()
    assert not [code for code in codes if code.startswith("990101001")]
    # 001 and 002 are taken there, so the next free numbers stand in.
    assert {"990101002003", "990101002004", "99010100200301", "99010100200302"} <= set(codes)
    with county.db.read() as session:
        for old, new in [
            ("990101001", "990101002000"),
            ("990101001001", "990101002003"),
            ("99010100100102", "99010100200302"),
        ]:
            assert tree.find(session, old).code == new
        (last, *_) = tree.history(session, tree.find(session, "990101002"))
    assert (last.change, last.from_name, last.reason) == ("merge", "演示街道", "撤并")


def test_codes_are_followed_through_several_mergers(county: County):
    merge(county, "990101001000", "990101002000")
    merge(county, "990101002000", "990101100000")
    county.whole()
    with county.db.read() as session:
        found = tree.find(session, "99010100100101")
        assert found.name == "第一网格"
        assert found.code.startswith("990101100")
        assert tree.find(session, "990101001000").code == "990101100000"


def test_a_whole_county_goes_into_another(county: County):
    merge(county, "990101000000", "990102000000")
    county.whole()
    with county.db.read() as session:
        assert tree.find(session, "990101001001").code == "990102001001"
        assert tree.count_below(session, tree.find(session, "9901"))["county"] == 1


@pytest.mark.parametrize(
    ("source", "target", "code"),
    [
        ("990101001001", "990101001001", "same"),
        ("990101001001", "990101002000", "level"),
        ("99010100100101", "990101001002", "level"),
    ],
)
def test_what_does_not_fit_is_refused(here: County, source, target, code):
    with pytest.raises(DomainError) as raised:
        merge(here, source, target)
    assert raised.value.code == code


def test_grids_of_different_communities_are_not_merged(here: County):
    here.take("code,name\n99010100100201,东一网格\n")
    with pytest.raises(DomainError) as raised:
        merge(here, "99010100100101", "99010100100201")
    assert raised.value.code == "grid_elsewhere"
    merge(here, "99010100100101", "99010100100102")
    assert "99010100100101" not in here.codes()


def test_who_may_merge(here: County):
    for role, where, source, error in [
        (Role.SUPERVISOR, "990101000000", "990101001000", None),
        (Role.SUPERVISOR, "990101001000", "990101001001", ForbiddenError),
        (Role.MANAGER, "990101001001", "990101001001", ForbiddenError),
        (Role.SYSTEM_ADMIN, "990102000000", "990101001000", NotFoundError),
        (Role.SUPERVISOR, "990101000000", "990101000000", ForbiddenError),
    ]:
        actor = here.actor(role, where)
        with here.db.read() as session:
            first = tree.find(session, source)
            second = session.scalars(
                select(Region).where(Region.level == first.level, Region.id != first.id)
            ).first()
            if error is None:
                assert merging.plan_merge(session, actor, first, second).blockers == []
                continue
            with pytest.raises(error):
                merging.plan_merge(session, actor, first, second)


@pytest.mark.parametrize("targets", [("990101002000", "990101100000"), ("990101002000",) * 2])
def test_of_two_mergers_of_one_region_at_once_one_wins(county: County, targets):
    source = county.region("990101001000").id
    ids = [county.region(code).id for code in targets]
    ready, outcomes = threading.Barrier(2), []

    def go(target: int) -> None:
        ready.wait(10)
        try:
            with county.db.write() as session:
                merging.merge(session, SYSTEM, source, target, "撤并", NOW)
            outcomes.append("merged")
        except ConflictError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=go, args=(target,)) for target in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["merged", "merged_meanwhile"]
    county.whole()
    with county.db.read() as session:
        merged = session.scalar(
            select(func.count()).select_from(RegionHistory).where(RegionHistory.change == "merge")
        )
    assert merged == 1


def test_two_regions_merged_into_each_other_at_once_leave_one(county: County):
    one, other = county.region("990101001000").id, county.region("990101002000").id
    ready, outcomes = threading.Barrier(2), []

    def go(source: int, target: int) -> None:
        ready.wait(10)
        try:
            with county.db.write() as session:
                merging.merge(session, SYSTEM, source, target, "撤并", NOW)
            outcomes.append("merged")
        except ConflictError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=go, args=pair) for pair in ((one, other), (other, one))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["merged", "merged_meanwhile"]
    county.whole()


def test_a_community_with_people_goes_into_its_neighbour(town: Town):
    source, target = town.ids["other"], town.ids["community"]
    with town.db.write() as session:
        plan = merging.plan_merge(
            session, SYSTEM, session.get_one(Region, source), session.get_one(Region, target)
        )
        assert plan.objects["residents"] == 1
        assert plan.objects["dwellings"] == 16
        assert [new for _, new in plan.renamed_buildings] == ["东苑社区1号楼", "东苑社区2号楼"]
        merging.merge(session, SYSTEM, source, target, "撤并", town.clock())
    with town.db.read() as session:
        resident = session.get_one(Resident, town.ids["neighbour"])
        assert resident.community_id == target
        assert resident.residency.dwelling.label.startswith("东苑社区1号楼")
        assert queries.community_by_uscc(session, OTHER_USCC).id == target
        assert belongings.counts(session, source) == {}
    # The worker of the community that is gone now works in the one that took it in.
    assert town.person("distant").get("/work/residents?state=approved").status_code == 200
    assert town.actor("distant").grants[0].path == town.actor("worker").grants[0].path


def test_devices_in_service_stand_in_the_way(town: Town):
    with town.db.write() as session:
        session.add(
            Device(
                community_id=town.ids["other"],
                key="gate",
                kind="door_lock",
                title="北门",
                mqtt_username="other-1/gate",
                mqtt_password="x",
                enrolled_at=town.clock(),
            )
        )
    with town.db.write() as session, pytest.raises(ConflictError) as raised:
        merging.merge(
            session, SYSTEM, town.ids["other"], town.ids["community"], "撤并", town.clock()
        )
    assert raised.value.code == "blocked"


def test_a_role_that_somebody_has_in_both_stays_once(town: Town):
    from portal.accounts.models import RoleGrant

    with town.db.write() as session:
        session.add(
            RoleGrant(user_id=town.ids["user:worker"], role="worker", region_id=town.ids["other"])
        )
    with town.db.write() as session:
        merging.merge(
            session, SYSTEM, town.ids["other"], town.ids["community"], "撤并", town.clock()
        )
    with town.db.read() as session:
        rows = session.scalars(
            select(RoleGrant).where(RoleGrant.user_id == town.ids["user:worker"])
        ).all()
    assert [row.region_id for row in rows] == [town.ids["community"]]


def test_a_part_of_a_county_becomes_one_of_its_own(county: County):
    with county.db.write() as session:
        region = tree.find(session, "990101")
        draft = SplitDraft(
            "990103", "河西区", "析置", children=frozenset({tree.find(session, "990101002").id})
        )
        made = splitting.split(session, SYSTEM, region.id, draft, NOW)
        assert made.code == "990103000000"
    county.whole()
    with county.db.read() as session:
        assert tree.find(session, "990101002001").code == "990103002001"
        (first,) = tree.history(session, tree.find(session, "990103"))
    assert (first.change, first.from_code) == ("split", "990101000000")


@pytest.mark.parametrize(
    ("draft", "field", "code"),
    [
        (SplitDraft("990102", "河西区", "析置", frozenset({1})), "code", "code_used"),
        (SplitDraft("990203", "河西区", "析置", frozenset({1})), "code", "code_elsewhere"),
        (SplitDraft("990103001", "河西区", "析置", frozenset({1})), "code", "code_elsewhere"),
        (SplitDraft("x", "河西区", "析置", frozenset({1})), "code", "code_digits"),
        (SplitDraft("990103", "", "析置", frozenset({1})), "name", "name_missing"),
        (SplitDraft("990103", "河西区", "", frozenset({1})), "reason", "reason_missing"),
        (SplitDraft("990103", "河西区", "析置"), "members", "nothing_chosen"),
        (SplitDraft("990103", "河西区", "析置", frozenset({999})), "members", "nothing_chosen"),
    ],
)
def test_a_split_that_cannot_be_says_why(here: County, draft, field, code):
    with here.db.read() as session, pytest.raises(DomainError) as raised:
        splitting.plan_split(session, SYSTEM, tree.find(session, "990101"), draft)
    assert (raised.value.field, raised.value.code) == (field, code)


def test_buildings_take_their_people_into_a_new_community(town: Town):
    source = town.ids["community"]
    with town.db.write() as session:
        setting_changes.write_zones(session, session.get_one(Region, source))
        draft = SplitDraft(
            "110105001003",
            "翠湖南社区",
            "析置",
            buildings=frozenset({town.ids["community:building"]}),
        )
        made = splitting.split(session, SYSTEM, source, draft, town.clock())
        made_id = made.id
    with town.db.read() as session:
        assert made.key == "c110105001003"
        resident = session.get_one(Resident, town.ids["resident"])
        assert resident.community_id == made_id
        assert resident.residency.dwelling.community_id == made_id
        counts = {
            place: session.scalar(
                select(func.count()).select_from(Dwelling).where(Dwelling.community_id == place)
            )
            for place in (source, made_id)
        }
        assert counts == {source: 8, made_id: 8}
        stray = session.scalar(
            select(func.count())
            .select_from(Dwelling)
            .join(Unit, Unit.id == Dwelling.unit_id)
            .join(Building, Building.id == Unit.building_id)
            .where(Building.community_id != Dwelling.community_id)
        )
        assert stray == 0


def test_a_name_is_changed_once_of_two_at_once(county: County):
    ready, outcomes = threading.Barrier(2), []

    def go(name: str) -> None:
        with county.db.read() as session:
            seen = tree.find(session, "990101001001")
        ready.wait(10)
        try:
            with county.db.write() as session:
                changes.rename(session, SYSTEM, session.merge(seen, load=False), name, "更名", NOW)
            outcomes.append("renamed")
        except ConflictError as error:
            outcomes.append(error.code)

    threads = [threading.Thread(target=go, args=(name,)) for name in ("甲社区", "乙社区")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(outcomes) == ["renamed", "renamed_meanwhile"]
