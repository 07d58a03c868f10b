"""Walks every route and every API operation with the whole cast, and says what each of them is answered.

A letter an answer:

    o  let in: a page, a redirect onward, or a form that is refused for what is in it
    s  sent to the sign-in page
    f  forbidden (403): the role is too weak
    n  not found (404): a stranger to this object
    u  unauthorised (401), API only
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from sqlalchemy import select
from werkzeug.routing import Rule

from mqtt.contract.telemetry import DeviceKind
from portal.accounts.models import Invitation as StaffInvitation
from portal.accounts.models import Passkey, RoleGrant, SignInSession
from portal.accounts.tokens import create_token
from portal.core import limits
from portal.core.permissions import SYSTEM, Permission
from portal.devices.models import Device
from portal.regions.models import Region
from portal.visitors.operations import Draft, invite
from tests.portal.cast import NOW, USCC, Town

CAST = (
    "outsider",
    "waiting",
    "resident",
    "neighbour",
    "worker",
    "distant",
    "gatekeeper",
    "manager",
    "health",
    "supervisor",
    "support",
    "sysadmin",
    "secadmin",
    "auditor",
)
TOKENS = ("none", "nonsense", "cookie", "right", "elsewhere", "weak")
"""No token, nonsense, a worker's cookie, the permission here, the permission elsewhere, all other permissions here."""


BODIES = {
    "openings": {"reason": "maintenance"},
    "decision": {"approve": True},
    "verify": {"code": "LL1:X"},
    "acknowledgement": {},
    "closing": {"cause": "help"},
    "lookups": {"community": "community-1", "plate": "京A12345"},
    "notices": {"region": "community-1", "title": "x", "body": "x"},
    "withdrawal": {"reason": "x"},
}
"""What operations are sent that take something."""


NOT_THERE: dict[str, Any] = {
    **dict.fromkeys(("access_id", "alarm_id", "arrival_id", "code_id", "contact_id"), 1),
    **dict.fromkeys(("decision_id", "file_id", "notice_id", "number", "parcel_id"), 1),
    **dict.fromkeys(("shift_id", "trouble_id", "vehicle_id", "wearer_id"), 1),
    **dict.fromkeys(("courier_code", "pickup_token", "upload"), "x"),
}
"""Of these the town has none: whoever may ask at all is told so (404). The rooms' own tests have a truth table
with objects that are there."""


def furnish(town: Town) -> dict[str, Any]:
    """One object of each kind in the community; returns values for the arguments of addresses."""
    now = town.clock.now
    town.person("resident")
    with town.db.write() as session:
        device = Device(
            community_id=town.ids["community"],
            key="gate-1",
            kind=DeviceKind.DOOR_LOCK,
            title="East gate",
            mqtt_username="community-1.gate-1",
            mqtt_password="$7$",
            enrolled_at=now,
        )
        passkeys = [
            Passkey(
                user_id=town.ids["user:resident"],
                credential_id=name,
                public_key=b"x",
                name=name,
                created_at=now,
            )
            for name in ("removed", "renamed")
        ]
        staff_invitation = StaffInvitation(
            digest="x",
            note="x",
            region_id=town.ids["community"],
            created_at=now,
            expires_at=now + timedelta(days=3),
        )
        session.add_all([device, *passkeys, staff_invitation])
        visitor = invite(
            session,
            town.actor("resident"),
            Draft("来客", "13900000001", "friends", now, now + timedelta(hours=2)),
            now,
        )
        session.flush()
        return {
            "community_id": town.ids["community"],
            "resident_id": town.ids["resident"],
            "invitation_id": visitor.id,
            "staff_invitation_id": staff_invitation.id,
            "token": visitor.link_token,
            "device_id": device.id,
            "uscc": USCC,
            "key": "community-1",
            "filename": "img/linli.svg",
            "user_id": town.ids["user:secure"],
            "grant_id": session.scalar(
                select(RoleGrant.id).where(RoleGrant.user_id == town.ids["user:secure"])
            ),
            "passkey_id": {
                "accounts.passkey_remove": passkeys[0].id,
                "accounts.passkey_rename": passkeys[1].id,
            },
            "session_id": session.scalar(
                select(SignInSession.id).where(SignInSession.user_id == town.ids["user:resident"])
            ),
            "verb": {
                "visitors.decided": "approve",
                "accounts.manage": "password",
                "workbench.take": "claim",
                "vehicles.decided": "verify",
                "telecare.act": "acknowledge",
                "telecare.care_act": "acknowledge",
                "parcels.compartment_act": "open",
                "parcels.parcel_act": "hand_out",
                "parcels.courier_act": "cancel",
            },
            "dwelling_id": town.ids["community:dwelling"],
            "building_id": town.ids["community:building"],
            "code": "110105001001",
            "kind": "residents.registration",
            "item_id": town.ids["resident"],
            **NOT_THERE,
        }


def address(town: Town, rule: Rule, values: dict[str, Any]) -> str:
    """The rule's address with the furnished object in it. Raises KeyError for an argument without a value."""
    chosen = {}
    for name in rule.arguments:
        value = values[name]
        if rule.endpoint == "accounts.revoke_invitation":
            value = values["staff_invitation_id"]
        chosen[name] = value[rule.endpoint] if isinstance(value, dict) else value
    return town.app.url_map.bind("localhost").build(rule.endpoint, chosen, rule_method(rule))


def rule_method(rule: Rule) -> str:
    return "GET" if "GET" in (rule.methods or ()) else "POST"


def methods(rule: Rule) -> list[str]:
    return sorted((rule.methods or set()) - {"HEAD", "OPTIONS"})


def is_api(rule: Rule) -> bool:
    return rule.rule.startswith("/api/v1/") and not rule.endpoint.startswith("api-docs")


def letter(status: int, location: str | None) -> str:
    if status in (301, 302, 303) and location and location.partition("?")[0] == "/sign-in":
        return "s"
    return {401: "u", 403: "f", 404: "n"}.get(status, "o" if status < 500 or status == 503 else "!")


def pages(town: Town) -> Iterator[tuple[str, str]]:
    """(``METHOD endpoint``, a letter for each of the cast) for every page and form of the portal."""
    values = furnish(town)
    town.app.config["WTF_CSRF_ENABLED"] = False
    limits.limiter.enabled = False
    try:
        for rule in sorted(town.app.url_map.iter_rules(), key=str):
            if rule.rule.startswith("/api/"):
                continue
            path = address(town, rule, values)
            for method in methods(rule):
                found = ""
                for who in CAST:
                    answer = town.person(who).client.open(path, method=method)
                    found += letter(answer.status_code, answer.location)
                    answer.close()
                yield f"{method} {rule.endpoint}", found
    finally:
        limits.limiter.enabled = True
        limits.limiter.reset()


def token(town: Town, where: str, permissions: list[Permission]) -> str:
    with town.db.write() as session:
        return create_token(
            session,
            SYSTEM,
            name="x",
            permissions=permissions,
            region=session.get_one(Region, town.ids[where]),
            now=NOW,
        ).text


def operations(town: Town) -> Iterator[tuple[str, str]]:
    """(``METHOD rule``, a letter for each of TOKENS) for every operation of the API."""
    values = furnish(town)
    every = list(Permission)
    for rule in sorted(town.app.url_map.iter_rules(), key=str):
        if not is_api(rule):
            continue
        needed = getattr(town.app.view_functions[rule.endpoint], "linli_rule", "")
        right = [p for p in every if p.value == needed] or every[:1]
        path = address(town, rule, values)
        headers = {
            "none": {},
            "nonsense": {"Authorization": "Bearer linli_nonsense"},
            "cookie": {},
            "right": {"Authorization": f"Bearer {token(town, 'community', right)}"},
            "elsewhere": {"Authorization": f"Bearer {token(town, 'other', right)}"},
            "weak": {
                "Authorization": "Bearer "
                + token(town, "community", [p for p in every if p not in right])
            },
        }
        for method in methods(rule):
            found = ""
            for kind in TOKENS:
                client = town.person("worker" if kind == "cookie" else "outsider").client
                answer = client.open(
                    path,
                    method=method,
                    headers=headers[kind],
                    json=BODIES[rule.rule.rsplit("/", 1)[1]] if method == "POST" else None,
                    query_string={
                        "measure": "sensor/battery",
                        "start": "2026-11-19T00:00Z",
                        "end": "2026-11-20T00:00Z",
                    }
                    if rule.rule.endswith("/telemetry")
                    else None,
                )
                found += letter(answer.status_code, answer.location)
            yield f"{method} {rule.rule}", found
