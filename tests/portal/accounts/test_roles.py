"""Roles: who may give which where, three administrators apart, dates, two at once."""

from __future__ import annotations

from datetime import timedelta
from itertools import combinations

import pytest

from portal.accounts import roles
from portal.accounts.models import RoleGrant, User
from portal.accounts.operations import create_staff
from portal.core.errors import ConflictError, DomainError, ForbiddenError, NotFoundError
from portal.core.permissions import (
    ADMINISTRATORS,
    ROLE_PERMISSIONS,
    Actor,
    Grant,
    Permission,
    Role,
)
from tests.portal.cast import NOW, Town


def somebody(town: Town, *held: Role) -> int:
    with town.db.write() as session:
        user = create_staff(
            session,
            username=f"new{len(town.ids)}",
            password="x" * 12,
            roles=[(role, town.ids["community"]) for role in held],
            now=NOW,
        )
        town.ids[f"user:{user.username}"] = user.id
        return user.id


def give(town: Town, giver: str | Actor, user_id: int, role: Role, where: str, **dates) -> None:
    actor = town.actor(giver) if isinstance(giver, str) else giver
    with town.db.write() as session:
        roles.grant(session, actor, user_id, role, town.ids[where], NOW, **dates)


def held(town: Town, user_id: int) -> set[tuple[str, int]]:
    with town.db.read() as session:
        rows = session.query(RoleGrant).filter_by(user_id=user_id)
        return {(row.role, row.region_id) for row in rows if roles.in_force(row, NOW)}


@pytest.mark.parametrize("first", Role)
@pytest.mark.parametrize("second", Role)
def test_administrators_hold_one_role_and_others_may_hold_several(
    first: Role, second: Role
) -> None:
    allowed = first is second or not {first, second} & ADMINISTRATORS
    if allowed:
        roles.check_separate([first, second])
    else:
        with pytest.raises(DomainError) as refused:
            roles.check_separate([first, second])
        assert refused.value.code == "not_separate"


@pytest.mark.parametrize(("first", "second"), list(combinations(sorted(ADMINISTRATORS), 2)))
def test_nobody_becomes_two_administrators(town: Town, first: Role, second: Role) -> None:
    user = somebody(town, first)
    with pytest.raises(DomainError) as refused:
        give(town, "secadmin", user, second, "community")
    assert refused.value.code == "not_separate"
    with pytest.raises(DomainError):
        somebody(town, first, second)


def test_even_a_changed_database_makes_nobody_two_administrators(town: Town) -> None:
    with town.db.write() as session:
        session.add(
            RoleGrant(
                user_id=town.ids["user:auditor"],
                role=Role.SYSTEM_ADMIN,
                region_id=town.ids["county"],
            )
        )
    assert town.actor("auditor").grants == ()


def test_no_administrator_sees_residents() -> None:
    personal = {
        Permission.RESIDENT_LIST,
        Permission.RESIDENT_DECIDE,
        Permission.INVITATION_LIST,
        Permission.PASSAGE_LIST,
        Permission.PASS_SCAN,
    }
    for role in ADMINISTRATORS:
        assert not ROLE_PERMISSIONS[role] & personal
    assert ROLE_PERMISSIONS[Role.AUDIT_ADMIN] == {Permission.AUDIT_READ}


GIVERS = {
    "worker": ForbiddenError,
    "gatekeeper": ForbiddenError,
    "manager": ForbiddenError,
    "health": ForbiddenError,
    "supervisor": ForbiddenError,
    "support": ForbiddenError,
    "sysadmin": ForbiddenError,
    "auditor": ForbiddenError,
    "distant": NotFoundError,
    "resident": NotFoundError,
    "neighbour": NotFoundError,
    "secadmin": None,
}


@pytest.mark.parametrize("giver", GIVERS)
def test_only_the_security_administrator_gives_roles(town: Town, giver: str) -> None:
    user = somebody(town)
    refusal = GIVERS[giver]
    if refusal is None:
        give(town, giver, user, Role.WORKER, "community")
        assert held(town, user) == {("worker", town.ids["community"])}
    else:
        with pytest.raises(refusal):
            give(town, giver, user, Role.WORKER, "community")
        assert held(town, user) == set()


def test_roles_do_not_reach_further_than_who_gives_them(town: Town) -> None:
    user = somebody(town)
    with town.db.read() as session:
        from portal.regions.models import Region

        path = session.get_one(Region, town.ids["community"]).path
    local = Actor(
        "user:999",
        user_id=999,
        grants=(Grant(path, ROLE_PERMISSIONS[Role.SECURITY_ADMIN], Role.SECURITY_ADMIN),),
    )
    give(town, local, user, Role.WORKER, "community")
    for where in ("other", "township", "county"):
        with pytest.raises(NotFoundError):
            give(town, local, user, Role.WORKER, where)


def test_nobody_changes_their_own_roles_nor_those_of_residents(town: Town) -> None:
    with pytest.raises(ForbiddenError):
        give(town, "secadmin", town.ids["user:secadmin"], Role.SECURITY_ADMIN, "community")
    with pytest.raises(NotFoundError):
        give(town, "secadmin", town.ids["user:resident"], Role.WORKER, "community")


def test_a_role_counts_between_its_dates_only(town: Town) -> None:
    user = somebody(town)
    name = next(n for n, i in town.ids.items() if i == user and n.startswith("user:")).partition(
        ":"
    )[2]
    give(
        town,
        "secadmin",
        user,
        Role.WORKER,
        "community",
        valid_from=NOW + timedelta(days=1),
        valid_until=NOW + timedelta(days=2),
    )
    from portal.accounts.datastore import load_user
    from portal.accounts.session import actor_of

    with town.db.read() as session:
        row = load_user(session, User.id == user)
    seen = [bool(actor_of(row, NOW + timedelta(hours=h)).grants) for h in (0, 23, 24, 47, 48, 100)]
    assert seen == [False, False, True, True, False, False]
    assert name
    with pytest.raises(DomainError) as refused:
        give(town, "secadmin", user, Role.WORKER, "community", valid_until=NOW)
    assert refused.value.field == "valid_until"


def test_a_role_ends_and_can_be_given_again(town: Town) -> None:
    user = somebody(town)
    give(town, "secadmin", user, Role.WORKER, "community")
    with town.db.read() as session:
        grant_id = session.query(RoleGrant).filter_by(user_id=user).one().id
    for expected in (True, False):
        with town.db.write() as session:
            assert roles.end_grant(session, town.actor("secadmin"), grant_id, NOW) is expected
    assert held(town, user) == set()
    give(town, "secadmin", user, Role.WORKER, "community")
    assert held(town, user) == {("worker", town.ids["community"])}


def test_after_an_administrators_role_has_ended_another_may_follow(town: Town) -> None:
    user = somebody(town, Role.SYSTEM_ADMIN)
    with town.db.write() as session:
        row = session.query(RoleGrant).filter_by(user_id=user).one()
        roles.end_grant(session, town.actor("secadmin"), row.id, NOW)
    give(town, "secadmin", user, Role.AUDIT_ADMIN, "community")
    assert held(town, user) == {("audit_admin", town.ids["community"])}


def test_a_disabled_account_gets_no_role(town: Town) -> None:
    user = somebody(town)
    with town.db.write() as session:
        session.get_one(User, user).active = False
    with pytest.raises(ConflictError):
        give(town, "secadmin", user, Role.WORKER, "community")
