import pytest

from portal.core.errors import ForbiddenError, NotFoundError
from portal.core.permissions import (
    ROLE_PERMISSIONS,
    SYSTEM,
    Actor,
    Grant,
    Permission,
    Role,
    permissions_of,
    require,
)

COUNTY, COMMUNITY, NEIGHBOUR = "/1/2/", "/1/2/3/", "/1/2/30/"


def actor(role, path):
    return Actor("x", grants=(Grant(path, ROLE_PERMISSIONS[role], role),))


WORKER = actor(Role.WORKER, COMMUNITY)

RESPONDERS = {
    Role.WORKER,
    Role.GATEKEEPER,
    Role.MANAGER,
    Role.HEALTH_WORKER,
    Role.SUPERVISOR,
}

EXPECTED = {
    Permission.REGION_VIEW: set(Role) - {Role.AUDIT_ADMIN},
    Permission.REGION_MANAGE: {Role.SUPERVISOR, Role.SYSTEM_ADMIN},
    Permission.REGION_SETTINGS: {Role.MANAGER, Role.SUPERVISOR, Role.SYSTEM_ADMIN},
    Permission.DWELLING_MANAGE: {Role.MANAGER, Role.SUPERVISOR, Role.SYSTEM_ADMIN},
    Permission.RESIDENT_LIST: {Role.WORKER},
    Permission.RESIDENT_DECIDE: {Role.WORKER},
    Permission.INVITATION_LIST: {Role.WORKER, Role.GATEKEEPER, Role.MANAGER, Role.SUPERVISOR},
    Permission.INVITATION_DECIDE: {Role.WORKER},
    Permission.VEHICLE_LIST: {Role.WORKER, Role.GATEKEEPER, Role.MANAGER, Role.SUPERVISOR},
    Permission.VEHICLE_DECIDE: {Role.WORKER},
    Permission.PASSAGE_LIST: {Role.WORKER, Role.GATEKEEPER, Role.MANAGER, Role.SUPERVISOR},
    Permission.PASSAGE_RECORD: {Role.GATEKEEPER},
    Permission.PASSAGE_REVIEW: {Role.WORKER, Role.MANAGER, Role.SUPERVISOR},
    Permission.DEVICE_TEND: {Role.WORKER, Role.MANAGER, Role.SUPERVISOR},
    Permission.WORK_TAKE_OVER: {Role.MANAGER, Role.SUPERVISOR},
    Permission.PASS_SCAN: {Role.WORKER, Role.GATEKEEPER},
    Permission.DEVICE_LIST: {
        Role.WORKER,
        Role.GATEKEEPER,
        Role.MANAGER,
        Role.SUPERVISOR,
        Role.SUPPORT,
        Role.SYSTEM_ADMIN,
    },
    Permission.DEVICE_COMMAND: {Role.MANAGER},
    Permission.TELEMETRY_READ: {Role.MANAGER, Role.SUPPORT, Role.SYSTEM_ADMIN},
    Permission.PARCEL_LIST: {Role.WORKER, Role.GATEKEEPER, Role.MANAGER, Role.SUPERVISOR},
    Permission.PARCEL_HANDLE: {Role.WORKER, Role.GATEKEEPER, Role.MANAGER},
    Permission.PARCEL_MANAGE: {Role.MANAGER},
    Permission.POSTER_PRINT: {Role.WORKER, Role.MANAGER},
    Permission.NOTICE_PUBLISH: {Role.WORKER, Role.MANAGER, Role.SUPERVISOR},
    Permission.TELECARE_LIST: RESPONDERS,
    Permission.TELECARE_RESPOND: RESPONDERS,
    Permission.TELECARE_MANAGE: {Role.WORKER},
    Permission.TOKEN_MANAGE: {Role.SYSTEM_ADMIN},
    Permission.ACCOUNT_LIST: {Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN},
    Permission.ACCOUNT_MANAGE: {Role.SYSTEM_ADMIN},
    Permission.GRANT_MANAGE: {Role.SECURITY_ADMIN},
    Permission.LOCKOUT_MANAGE: {Role.SECURITY_ADMIN},
    Permission.AUDIT_READ: {Role.AUDIT_ADMIN},
}


@pytest.mark.parametrize("permission", Permission)
@pytest.mark.parametrize("role", Role)
def test_each_role_holds_exactly_its_permissions(role, permission):
    assert actor(role, COMMUNITY).may(permission, COMMUNITY) == (role in EXPECTED[permission])


def test_a_grant_reaches_the_subtree_and_no_further():
    county = actor(Role.WORKER, COUNTY)
    assert county.may(Permission.RESIDENT_LIST, COMMUNITY)
    assert county.may(Permission.RESIDENT_LIST, NEIGHBOUR)
    assert not WORKER.may(Permission.RESIDENT_LIST, COUNTY)


def test_a_region_whose_number_begins_alike_is_a_stranger():
    assert not WORKER.may(Permission.RESIDENT_LIST, NEIGHBOUR)
    with pytest.raises(NotFoundError):
        require(WORKER, Permission.RESIDENT_LIST, NEIGHBOUR)


def test_a_weak_role_is_forbidden_and_a_stranger_finds_nothing():
    gatekeeper = actor(Role.GATEKEEPER, COMMUNITY)
    with pytest.raises(ForbiddenError):
        require(gatekeeper, Permission.RESIDENT_DECIDE, COMMUNITY)
    with pytest.raises(NotFoundError):
        require(SYSTEM, Permission.RESIDENT_DECIDE, COMMUNITY)


@pytest.mark.parametrize(
    ("level", "may"),
    [
        ("province", True),
        ("prefecture", True),
        ("county", True),
        ("township", False),
        ("community", False),
        ("grid", False),
    ],
)
def test_supervisors_change_the_tree_from_the_county_upward(level, may):
    held = permissions_of(Role.SUPERVISOR, level)
    assert (Permission.REGION_MANAGE in held) == may
    assert Permission.REGION_SETTINGS in held
    assert Permission.REGION_MANAGE in permissions_of(Role.SYSTEM_ADMIN, level)
