"""The HTTP API: tokens, permissions as a truth table, problems, the document."""

from __future__ import annotations

from datetime import timedelta

import pytest
from openapi_spec_validator import validate

from mqtt.contract.telemetry import DeviceKind
from portal.accounts.tokens import create_token, revoke_token
from portal.core.errors import DomainError
from portal.core.permissions import SYSTEM, Permission
from portal.devices.models import Device
from portal.models import ApiToken, OutboxMessage, Region
from tests.portal.cast import NOW, Town

ALL = tuple(Permission)


def token(
    town: Town, region: str = "community", permissions=ALL, lifetime=timedelta(days=1)
) -> str:
    with town.db.write() as session:
        place = session.get(Region, town.ids[region])
        issued = create_token(
            session,
            SYSTEM,
            name="test",
            permissions=permissions,
            region=place,
            now=NOW,
            lifetime=lifetime,
        )
    return issued.text


def lock(town: Town) -> int:
    with town.db.write() as session:
        device = Device(
            community_id=town.ids["community"],
            key="gate-1",
            kind=DeviceKind.DOOR_LOCK,
            title="East gate",
            mqtt_username="community-1.gate-1",
            mqtt_password="$7$",
            enrolled_at=NOW,
        )
        session.add(device)
        session.flush()
        return device.id


def ask(town: Town, method: str, path: str, text: str | None, **options):
    headers = {"Authorization": f"Bearer {text}"} if text else {}
    return town.app.test_client().open(path, method=method, headers=headers, **options)


def operations(town: Town) -> list[tuple[str, str, str]]:
    """Method, path with ids filled in, rule of every API route."""
    values = {
        "key": "community-1",
        "device_id": 1,
        "invitation_id": 1,
        "notice_id": 1,
        "alarm_id": 1,
        "code": "110105001001",
    }
    found = []
    for rule in town.app.url_map.iter_rules():
        if not rule.rule.startswith("/api/v1/") or rule.endpoint.startswith("api-docs"):
            continue
        view = town.app.view_functions[rule.endpoint]
        for method in rule.methods - {"HEAD", "OPTIONS"}:
            path = rule.rule
            for name in rule.arguments:
                for kind in ("int:", "string:", ""):
                    path = path.replace(f"<{kind}{name}>", str(values[name]))
            found.append((method, path, getattr(view, "linli_rule", "")))
    return sorted(found)


def test_every_operation_has_a_rule(town):
    found = operations(town)
    assert len(found) >= 10
    known = {"public", *map(str, Permission)}
    assert [row for row in found if row[2] not in known] == []


def test_only_the_key_set_is_public(town):
    public = [path for _, path, rule in operations(town) if rule == "public"]
    assert public == ["/api/v1/passes/keys"]
    answer = ask(town, "GET", public[0], None)
    assert answer.status_code == 200
    assert "max-age" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("text", [None, "", "linli_wrong", "nonsense", "linli_" + "x" * 500])
def test_without_a_valid_token_nothing_opens(town, text):
    for method, path, rule in operations(town):
        if rule != "public":
            answer = ask(town, method, path, text, json={} if method == "POST" else None)
            assert answer.status_code == 401, path
            assert answer.content_type == "application/problem+json"
            assert answer.json["code"] == "unauthorised"


@pytest.mark.parametrize("permission", Permission)
def test_a_token_reaches_exactly_what_it_may(town, permission):
    device = lock(town)
    text = token(town, permissions=[permission])
    bodies = {
        "/api/v1/passes/verify": {"code": "LL1:X"},
        f"/api/v1/devices/{device}/openings": {"reason": "maintenance"},
    }
    checks = {
        ("GET", "/api/v1/communities/community-1"): Permission.REGION_VIEW,
        ("GET", "/api/v1/regions/110105001001"): Permission.REGION_VIEW,
        ("GET", "/api/v1/regions/110105001001/history"): Permission.REGION_VIEW,
        ("GET", "/api/v1/regions?parent=110105001001"): Permission.REGION_VIEW,
        ("GET", f"/api/v1/devices/{device}"): Permission.DEVICE_LIST,
        ("POST", f"/api/v1/devices/{device}/openings"): Permission.DEVICE_COMMAND,
    }
    for (method, path), needed in checks.items():
        status = ask(town, method, path, text, json=bodies.get(path)).status_code
        assert (status in (200, 202)) == (permission is needed), (path, status)
        assert status in (200, 202, 403), (path, status)


def test_a_token_finds_nothing_of_the_neighbours(town):
    device = lock(town)
    text = token(town, region="other")
    assert ask(town, "GET", f"/api/v1/devices/{device}", text).status_code == 404
    assert ask(town, "GET", "/api/v1/communities/community-1", text).status_code == 404
    for path in ("110105001001", "110105001001/history", "110105", "999999"):
        assert ask(town, "GET", f"/api/v1/regions/{path}", text).status_code == 404
    tops = ask(town, "GET", "/api/v1/regions", text).json
    assert [place["code"] for place in tops["regions"]] == ["110105001002"]
    answer = ask(
        town, "POST", f"/api/v1/devices/{device}/openings", text, json={"reason": "maintenance"}
    )
    assert answer.status_code == 404
    assert ask(town, "GET", "/api/v1/devices", text).json == {"devices": [], "next_offset": None}
    listed = ask(town, "GET", "/api/v1/communities", text).json
    assert [place["key"] for place in listed] == ["other-1"]


def test_opening_a_door_leaves_a_command_in_the_outbox(town):
    device = lock(town)
    answer = ask(
        town,
        "POST",
        f"/api/v1/devices/{device}/openings",
        token(town),
        json={"reason": "maintenance"},
    )
    assert answer.status_code == 202
    with town.db.read() as session:
        row = session.query(OutboxMessage).one()
    assert (row.device, row.name, row.transaction) == (
        "gate-1",
        "unlock",
        answer.json["transaction"],
    )


@pytest.mark.parametrize(
    ("method", "path", "body", "field"),
    [
        ("POST", "/api/v1/devices/1/openings", {"reason": "because"}, "reason"),
        ("POST", "/api/v1/devices/1/openings", {}, "reason"),
        ("POST", "/api/v1/passes/verify", {"code": 5}, "code"),
        ("POST", "/api/v1/passes/verify", {"code": "x" * 2000}, "code"),
        ("POST", "/api/v1/invitations/1/decision", {"approve": "perhaps"}, "approve"),
        ("GET", "/api/v1/passages?limit=many", None, "limit"),
        ("GET", "/api/v1/passages?limit=100000", None, "limit"),
        ("GET", "/api/v1/devices?kind=toaster", None, "kind"),
        ("GET", "/api/v1/regions?page=0", None, "page"),
        ("GET", f"/api/v1/regions?parent={'1' * 30}", None, "parent"),
        ("GET", "/api/v1/devices/1/telemetry?measure=sensor/battery", None, "start"),
        (
            "GET",
            "/api/v1/devices/1/telemetry?measure=%27&start=2026-01-01T00:00Z&end=2026-01-02T00:00Z",
            None,
            "measure",
        ),
    ],
)
def test_nonsense_is_answered_by_a_problem_that_names_the_field(town, method, path, body, field):
    answer = ask(town, method, path, token(town), json=body)
    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"
    assert field in str(answer.json["errors"])


def test_a_body_that_is_no_json_is_a_problem(town):
    answer = ask(
        town,
        "POST",
        "/api/v1/passes/verify",
        token(town),
        data=b"\xff{",
        content_type="application/json",
    )
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"


def test_a_path_that_is_not_there_is_a_problem_not_a_page(town):
    answer = ask(town, "GET", "/api/v1/nothing", token(town))
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert ask(town, "PUT", "/api/v1/devices", token(town)).status_code == 405


def test_an_expired_or_revoked_token_opens_nothing(town):
    text = token(town, lifetime=timedelta(hours=1))
    assert ask(town, "GET", "/api/v1/communities", text).status_code == 200
    town.clock.now = NOW + timedelta(hours=1)
    assert ask(town, "GET", "/api/v1/communities", text).status_code == 401
    town.clock.now = NOW
    with town.db.write() as session:
        assert revoke_token(session, SYSTEM, session.query(ApiToken).one().id, NOW)
    assert ask(town, "GET", "/api/v1/communities", text).status_code == 401


def test_the_token_itself_is_not_kept(town):
    text = token(town)
    with town.db.read() as session:
        row = session.query(ApiToken).one()
    assert text not in str(vars(row))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": " "}, "name"),
        ({"permissions": []}, "permissions"),
        ({"lifetime": timedelta(days=1000)}, "lifetime"),
        ({"lifetime": timedelta()}, "lifetime"),
    ],
)
def test_a_token_without_name_permission_or_end_is_refused(town, change, field):
    values = {
        "name": "x",
        "permissions": [Permission.DEVICE_LIST],
        "lifetime": timedelta(days=1),
        **change,
    }
    with town.db.write() as session, pytest.raises(DomainError) as caught:
        create_token(
            session, SYSTEM, region=session.get(Region, town.ids["community"]), now=NOW, **values
        )
    assert caught.value.field == field


def test_the_document_is_valid_openapi_and_names_each_permission(town):
    document = ask(town, "GET", "/api/v1/openapi.json", None).json
    assert document["openapi"] == "3.1.0"
    validate(document)
    error = document["components"]["responses"]["DEFAULT_ERROR"]
    assert list(error["content"]) == ["application/problem+json"]
    named = {
        operation.get("x-permission")
        for path in document["paths"].values()
        for method, operation in path.items()
        if method in {"get", "post"}
    }
    assert {str(Permission.DEVICE_COMMAND), str(Permission.PASSAGE_LIST), None} <= named


def test_telemetry_that_is_away_is_said_plainly(town):
    device = lock(town)
    answer = ask(town, "GET", f"/api/v1/devices/{device}/last", token(town))
    assert (answer.status_code, answer.json["code"]) == (503, "telemetry_unavailable")
