"""Settings: the nearest value that the rule allows counts, and says where it comes from."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.audit import AuditEntry
from portal.core.errors import DomainError, ForbiddenError, NotFoundError
from portal.core.permissions import Role
from portal.regions import merging, setting_changes, settings, splitting, tree
from portal.regions.models import Region
from portal.regions.settings import Rule, Setting, Type, setting, standings
from portal.visitors import operations, queries
from portal.visitors.models import InvitationState
from tests.portal.regions.conftest import NOW, County
from tests.portal.world import START, World

STAY = "visitors.longest_stay_days"
CHAIN = ("990101000000", "990101001000", "990101001001")


def put(county: County, code: str, key: str, value, role=Role.SYSTEM_ADMIN, where=None) -> None:
    actor = county.actor(role, where or "990000000000")
    with county.db.write() as session:
        setting_changes.set_value(session, actor, tree.find(session, code), key, value, NOW)


def value(county: County, code: str, key: str = STAY):
    with county.db.read() as session:
        return setting(session, tree.find(session, code), key)


def standing(county: County, code: str, key: str = STAY):
    with county.db.read() as session:
        found = standings(session, tree.find(session, code))
    return next(s for s in found if s.setting.key == key)


def test_without_any_the_default_holds(county: County):
    assert value(county, CHAIN[2]) == 7
    one = standing(county, CHAIN[2])
    assert (one.origin, one.own) == (None, None)


def test_a_value_holds_below_and_says_where_it_was_set(county: County):
    put(county, CHAIN[0], STAY, 21)
    assert [value(county, code) for code in CHAIN] == [21, 21, 21]
    assert value(county, "990102000000") == 7
    assert standing(county, CHAIN[2]).origin == county.region(CHAIN[0]).id


def test_levels_below_may_only_tighten(county: County):
    put(county, CHAIN[0], STAY, 5)
    put(county, CHAIN[2], STAY, 3)
    with pytest.raises(DomainError) as raised:
        put(county, CHAIN[2], STAY, 6)
    assert raised.value.code == "setting_rule"
    assert value(county, CHAIN[2]) == 3
    assert value(county, CHAIN[1]) == 5


def test_a_value_that_the_level_above_overtakes_stays_and_counts_again_later(county: County):
    put(county, CHAIN[2], STAY, 6)
    put(county, CHAIN[0], STAY, 4)
    one = standing(county, CHAIN[2])
    assert (one.value, one.own, one.counts, one.above) == (4, 6, False, 4)
    put(county, CHAIN[0], STAY, 10)
    assert value(county, CHAIN[2]) == 6


def test_taking_back_lets_the_level_above_hold_again(county: County):
    put(county, CHAIN[0], STAY, 5)
    put(county, CHAIN[2], STAY, 3)
    with county.db.write() as session:
        setting_changes.clear_value(session, county.admin, tree.find(session, CHAIN[2]), STAY)
    assert value(county, CHAIN[2]) == 5
    with county.db.read() as session:
        details = [e.detail for e in session.query(AuditEntry).filter_by(action="region.setting")]
    assert details[-1] == {"key": STAY, "value": None}


@pytest.mark.parametrize("wrong", [0, 91, -1, "7", None, True, 2.5])
def test_what_is_no_value_is_refused(here: County, wrong):
    with pytest.raises(DomainError) as raised:
        put(here, CHAIN[2], STAY, wrong)
    assert (raised.value.code, raised.value.field) == ("setting_value", STAY)


def test_who_may_set_where(here: County):
    for role, where, code, error in [
        (Role.MANAGER, CHAIN[2], CHAIN[2], None),
        (Role.MANAGER, CHAIN[2], CHAIN[1], NotFoundError),
        (Role.SUPERVISOR, CHAIN[1], CHAIN[1], None),
        (Role.SUPERVISOR, CHAIN[1], CHAIN[2], None),
        (Role.SUPERVISOR, CHAIN[1], CHAIN[0], NotFoundError),
        (Role.WORKER, CHAIN[2], CHAIN[2], ForbiddenError),
        (Role.GATEKEEPER, CHAIN[2], CHAIN[2], ForbiddenError),
        (Role.AUDIT_ADMIN, CHAIN[0], CHAIN[0], ForbiddenError),
        (Role.SYSTEM_ADMIN, CHAIN[0], CHAIN[1], None),
    ]:
        if error is None:
            put(here, code, STAY, 3, role, where)
            continue
        with pytest.raises(error):
            put(here, code, STAY, 3, role, where)


def test_a_key_that_nobody_registers_is_not_there(here: County):
    with pytest.raises(NotFoundError):
        put(here, CHAIN[2], "no.such", 1)
    with pytest.raises(KeyError):
        value(here, CHAIN[2], "no.such")


def test_a_grid_sets_nothing(here: County):
    with pytest.raises(DomainError) as raised:
        put(here, "99010100100101", STAY, 3)
    assert raised.value.code == "setting_level"


def test_the_time_zone_is_written_on_all_below_and_comes_along(county: County):
    zone = "regions.timezone"
    put(county, CHAIN[0], zone, "Asia/Urumqi")
    put(county, CHAIN[2], zone, "Asia/Hong_Kong")
    assert [county.region(code).timezone for code in CHAIN] == [
        "Asia/Urumqi",
        "Asia/Urumqi",
        "Asia/Hong_Kong",
    ]
    assert county.region("99010100100101").timezone == "Asia/Hong_Kong"
    assert county.region("990102000000").timezone == "Asia/Shanghai"
    county.take("code,name\n990101001009,新社区\n")
    assert county.region("990101001009").timezone == "Asia/Urumqi"
    with county.db.write() as session:
        merging.merge(
            session,
            county.admin,
            county.region("990101000000").id,
            county.region("990102000000").id,
            "撤并",
            NOW,
        )
    assert county.region("990102001001").timezone == "Asia/Hong_Kong"
    assert county.region("990102001002").timezone == "Asia/Shanghai"


def test_what_is_split_off_keeps_the_settings_it_had(here: County):
    put(here, CHAIN[0], STAY, 5)
    with here.db.write() as session:
        region = tree.find(session, CHAIN[0])
        child = tree.find(session, "990101002")
        draft = splitting.SplitDraft("990103", "河西区", "析置", frozenset({child.id}))
        splitting.split(session, here.admin, region.id, draft, NOW)
    assert value(here, "990103000000") == 5


def test_values_are_read_once_a_session_and_read_again_after_a_change(here: County):
    with here.db.write() as session:
        region = tree.find(session, CHAIN[2])
        assert setting(session, region, STAY) == 7
        setting_changes.set_value(session, here.admin, region, STAY, 2, NOW)
        assert setting(session, region, STAY) == 2


def test_all_settings_are_whole():
    for key, one in settings.registry().items():
        assert one.key == key
        assert one.default is None or one.fits(one.default)
        assert str(one.title)
        assert str(one.about)


numbers = st.lists(st.one_of(st.none(), st.integers(0, 100)), min_size=1, max_size=5)


@given(numbers, st.sampled_from(Rule), st.booleans())
def test_what_counts_never_breaks_the_rule(values, rule, smaller):
    one = Setting("t.x", Type.NUMBER, 50, "x", "x", rule=rule, most=100, smaller_is_tighter=smaller)
    stored = [(place, made) for place, made in enumerate(values) if made is not None]
    steps = [
        settings._resolve(one, place, stored[: place + 1]).value for place in range(len(stored))
    ]
    if not steps:
        return
    assert steps[0] == stored[0][1]
    ordered = sorted(steps, reverse=(rule is Rule.TIGHTEN) == smaller)
    if rule is Rule.FREE:
        assert steps == [made for _, made in stored]
    else:
        assert steps == ordered


def _draft(days: int) -> operations.Draft:
    return operations.Draft("周访客", "13900001234", "friends", START, START + timedelta(days=days))


def _set(world: World, key: str, made) -> None:
    with world.db.write() as session:
        setting_changes.set_value(
            session,
            world.staff(Role.SYSTEM_ADMIN),
            session.get_one(Region, world.regions["spring"]),
            key,
            made,
            START,
        )


def test_invitations_keep_to_what_the_community_set(world: World):
    _set(world, STAY, 2)
    _set(world, "visitors.most_open", 1)
    with world.db.write() as session, pytest.raises(DomainError) as raised:
        operations.invite(session, world.resident("resident"), _draft(3), world.clock())
    assert raised.value.code == "stay_long"
    with world.db.write() as session:
        operations.invite(session, world.resident("resident"), _draft(2), world.clock())
    with world.db.write() as session, pytest.raises(DomainError) as raised:
        operations.invite(session, world.resident("resident"), _draft(1), world.clock())
    assert raised.value.code == "too_many_open"


def test_where_invitations_are_approved_at_once_the_pass_is_there(world: World):
    _set(world, "visitors.automatic", True)
    with world.db.write() as session:
        made = operations.invite(session, world.resident("resident"), _draft(1), world.clock())
        row = queries.own_one(session, world.resident("resident"), made.id)
        assert row.state == InvitationState.APPROVED
        assert row.pass_id is not None
        actors = [e.actor for e in session.query(AuditEntry).filter_by(action="invitation.approve")]
    assert actors == ["system"]
