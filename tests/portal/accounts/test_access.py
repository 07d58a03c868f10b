"""Access as truth tables: every route and API operation, the whole cast, compared with what is declared here.

A new route or operation without a line here fails, and so does a line without its route. The letters are
explained in :mod:`tests.portal.accounts.access`; columns are in the order of its ``CAST`` and ``TOKENS``.
"""

from __future__ import annotations

from portal.core.permissions import ADMINISTRATORS, ROLE_PERMISSIONS, Role
from tests.portal.accounts import access
from tests.portal.cast import STAFF, Town

# outsider waiting resident neighbour · worker distant gatekeeper manager health
# supervisor support · sysadmin secadmin auditor
PAGES = {
    "GET start.index": "oooooooooooooo",
    "GET accounts.index": "sooooooooooooo",
    "GET accounts.authenticator": "sooooooooooooo",
    "POST accounts.authenticator": "sooooooooooooo",
    "GET accounts.confirm": "sooooooooooooo",
    "POST accounts.confirm": "sooooooooooooo",
    "GET accounts.devices": "sooooooooooooo",
    "POST accounts.end_device": "snonnnnnnnnnnn",
    "POST accounts.end_other_devices": "sooooooooooooo",
    "POST accounts.known_device": "sooooooooooooo",
    "GET accounts.history": "sooooooooooooo",
    "GET accounts.passkey_list": "sooooooooooooo",
    "POST accounts.passkey_add": "sooooooooooooo",
    "POST accounts.passkey_remove": "snonnnnnnnnnnn",
    "POST accounts.passkey_rename": "snonnnnnnnnnnn",
    "POST accounts.passkey_options": "sooooooooooooo",
    "GET accounts.password": "sooooooooooooo",
    "POST accounts.password": "sooooooooooooo",
    "GET accounts.recovery_codes": "sooooooooooooo",
    "POST accounts.recovery_codes": "sooooooooooooo",
    "POST display.change": "oooooooooooooo",
    "GET health.healthz": "oooooooooooooo",
    "GET home.index": "soooffffffffff",
    "GET accounts.join": "nnnnnnnnnnnnnn",
    "POST accounts.join": "nnnnnnnnnnnnnn",
    "POST start.language": "oooooooooooooo",
    "GET passes.show": "soooffffffffff",
    "GET passes.code": "soooffffffffff",
    "GET access.mine": "soooffffffffff",
    "GET residents.begin": "oooooooooooooo",
    "POST residents.begin": "oooooooooooooo",
    "GET residents.data": "oooooooooooooo",
    "POST residents.data": "oooooooooooooo",
    "GET residents.done": "oooooooooooooo",
    "GET residents.dwelling": "oooooooooooooo",
    "POST residents.dwelling": "oooooooooooooo",
    "GET health.readyz": "oooooooooooooo",
    "GET security.login": "oooooooooooooo",
    "POST security.login": "oooooooooooooo",
    "GET security.two_factor_token_validation": "sooooooooooooo",
    "POST security.two_factor_token_validation": "sooooooooooooo",
    "GET security.two_factor_rescue": "oooooooooooooo",
    "POST accounts.passkey_sign_in": "oooooooooooooo",
    "POST accounts.passkey_sign_in_options": "oooooooooooooo",
    "GET accounts.phone": "nnnnnnnnnnnnnn",
    "POST accounts.phone": "nnnnnnnnnnnnnn",
    "GET accounts.phone_code": "nnnnnnnnnnnnnn",
    "POST accounts.phone_code": "nnnnnnnnnnnnnn",
    "GET accounts.recovery": "ssssssssssssss",
    "POST accounts.recovery": "ssssssssssssss",
    "POST security.logout": "oooooooooooooo",
    "GET static": "oooooooooooooo",
    "GET styleguide.index": "sfffoooooooooo",
    "GET styleguide.telemetry": "sfffoooooooooo",
    "GET visitors.link": "oooooooooooooo",
    "GET visitors.state": "oooooooooooooo",
    "GET visitors.mine": "soooffffffffff",
    "GET visitors.one": "snonffffffffff",
    "POST visitors.cancel": "snonffffffffff",
    "GET visitors.new": "sfooffffffffff",
    "POST visitors.new": "sfooffffffffff",
    "GET work.index": "sfffoooooooooo",
    "GET accounts.staff_list": "sffffffffffoof",
    "GET accounts.staff_one": "sffffffffffoof",
    "POST accounts.manage": "sffffffffffoff",
    "POST accounts.grant": "sfffffffffffof",
    "POST accounts.end_grant": "sfffffffffffof",
    "POST accounts.revoke_invitation": "sffffnfffffoff",
    "GET accounts.invite": "sffffffffffoff",
    "POST accounts.invite": "sffffffffffoff",
    "GET accounts.audit_log": "sffffffffffffo",
    "POST accounts.audit_file": "sffffffffffffo",
    "GET residents.posters": "sfffoofoffffff",
    "GET residents.poster": "sfffonfoffffff",
    "GET residents.poster_file": "sfffonfoffffff",
    "GET devices.index": "sfffoooofoooff",
    "GET devices.show": "sfffonoofoooff",
    "GET devices.commands": "sfffonoofoooff",
    "POST devices.open_": "sffffnfoffffff",
    "GET devices.telemetry": "sffffnfoffooff",
    "GET devices.values": "sffffnfoffooff",
    "GET accounts.lock_outs": "sfffffffffffof",
    "POST accounts.unlock": "sfffffffffffnf",
    "GET access.log": "sfffoooofoffff",
    "GET access.newer": "sfffoooofoffff",
    "GET residents.queue": "sfffooffffffff",
    "GET residents.detail": "sfffonffffffff",
    "POST residents.decision": "sfffonffffffff",
    "POST residents.reveal": "sfffonffffffff",
    "GET scanning.page": "sfffooofffffff",
    "POST scanning.look_up": "sfffooofffffff",
    "POST scanning.record": "sfffffofffffff",
    "GET visitors.queue": "sfffoooofoffff",
    "GET visitors.decide": "sfffonoofoffff",
    "POST visitors.decided": "sfffonffffffff",
}
# none nonsense cookie · right elsewhere weak. Lists answer with what the token reaches: nothing, elsewhere.
OPERATIONS = {
    "GET /api/v1/communities": "uuuooo",
    "GET /api/v1/communities/<string:key>": "uuuonf",
    "GET /api/v1/devices": "uuuooo",
    "GET /api/v1/devices/<int:device_id>": "uuuonf",
    "GET /api/v1/devices/<int:device_id>/last": "uuuonf",
    "POST /api/v1/devices/<int:device_id>/openings": "uuuonf",
    "GET /api/v1/devices/<int:device_id>/telemetry": "uuuonf",
    "GET /api/v1/invitations": "uuuooo",
    "POST /api/v1/invitations/<int:invitation_id>/decision": "uuuonf",
    "GET /api/v1/passages": "uuuooo",
    "GET /api/v1/passes/keys": "oooooo",
    "POST /api/v1/passes/verify": "uuuooo",
}
PERSONAL = ("residents.", "visitors.", "access.", "passes.", "scanning.", "home.")
"""Rooms whose pages behind a sign-in are about residents and their visitors."""
FOR_ANYBODY = {"residents.begin", "residents.data", "residents.done", "residents.dwelling"} | {
    "visitors.link",
    "visitors.state",
}
"""Of these, what needs no sign-in: registering oneself, and a link that a visitor was given."""


def test_every_page_answers_everybody_as_declared(town: Town) -> None:
    found = dict(access.pages(town))
    assert sorted(found.items()) == sorted(PAGES.items())


def test_every_operation_answers_every_token_as_declared(town: Town) -> None:
    found = dict(access.operations(town))
    assert sorted(found.items()) == sorted(OPERATIONS.items())


def test_the_cast_has_every_role(town: Town) -> None:
    assert {role for role, _ in STAFF.values()} == set(Role)
    assert set(access.CAST) >= set(STAFF)
    assert set(ROLE_PERMISSIONS) == set(Role)


def test_no_administrator_gets_to_a_page_about_residents() -> None:
    administrators = [n for n, (role, _) in STAFF.items() if role in ADMINISTRATORS]
    assert len(administrators) == 3
    for line, letters in PAGES.items():
        endpoint = line.partition(" ")[2]
        if not endpoint.startswith(PERSONAL) or endpoint in FOR_ANYBODY:
            continue
        for name in administrators:
            assert letters[access.CAST.index(name)] in "fn", (line, name)


def test_the_audit_administrator_reads_the_audit_and_nothing_else_of_staff() -> None:
    column = access.CAST.index("auditor")
    opened = {
        line.partition(" ")[2]
        for line, letters in PAGES.items()
        if letters[column] == "o"
        and letters[0] == "s"
        and letters[access.CAST.index("resident")] != "o"
    }
    assert opened == {
        "accounts.audit_log",
        "accounts.audit_file",
        "work.index",
        "styleguide.index",
        "styleguide.telemetry",
    }
