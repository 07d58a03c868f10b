"""Keeping wearers, contacts and duty: what is entered, what is refused, who may."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from portal.core.audit import AuditEntry
from portal.core.errors import ConflictError, DomainError, ForbiddenError, NotFoundError
from portal.core.permissions import Role
from portal.regions.models import Region
from portal.telecare import contacts, roster, wearer_queries, wearers
from portal.telecare.contacts import Draft, contact_name, standing
from portal.telecare.models import Contact, Shift, Wearer
from portal.telecare.telling import reachable
from portal.telecare.wearers import Profile
from tests.portal.telecare.ward import DAUGHTER, ENTRY, NOTES, Ward
from tests.portal.village import People

DRAFT = Draft("周海涛", "139 0000 7777", "child", 0, 0, "spoken")
PROFILE = Profile(None, "good", "mandarin", "", "")
FORM = {
    "name": "王芳",
    "phone": "13800000001",
    "device_id": "",
    "hearing": "good",
    "language": "mandarin",
    "health_notes": "心脏搭桥",
    "entry_note": "按两次门铃",
}
CONTACT = {
    "name": "周海涛",
    "phone": "13900007777",
    "tie": "child",
    "from_minute": "08:00",
    "until_minute": "20:30",
    "consent_how": "phone",
}


def wearer_of(ward: Ward) -> Wearer:
    with ward.world.db.read() as session:
        return wearer_queries.wearer(session, ward.worker, ward.wearer)


def order(ward: Ward) -> list[str]:
    return [contact_name(c) for c in standing(wearer_of(ward))]


def add(ward: Ward, draft: Draft) -> Contact:
    with ward.world.db.write() as session:
        now = ward.world.clock()
        return contacts.add(session, ward.worker, ward.wearer, draft, now)


def test_a_resident_is_registered_by_number_and_name_on_pages(ward: Ward, people: People) -> None:
    worker = people.client("worker")
    answer = worker.post("/work/telecare/wearers/new", data=FORM)
    assert answer.status_code == 302
    page = worker.get(answer.location).text
    assert "王*" in page
    assert "心脏搭桥" not in page
    assert "心脏搭桥" in worker.get(f"{answer.location}/edit").text
    assert answer.location in worker.get("/work/telecare/wearers").text
    again = worker.post("/work/telecare/wearers/new", data=FORM)
    assert again.status_code == 422
    assert "registered here already" in again.text


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "王大芳"),
        ("name", ""),
        ("name", "\x00<script>"),
        ("phone", "not a phone"),
        ("phone", "9" * 400),
        ("hearing", "superb"),
        ("language", ""),
        ("device_id", "999999"),
        ("health_notes", "长" * 1001),
        ("entry_note", "长" * 1001),
    ],
)
def test_nonsense_in_the_wearers_form_gets_a_sentence_and_nothing_is_lost(
    ward: Ward, people: People, field: str, value: str
) -> None:
    answer = people.client("worker").post("/work/telecare/wearers/new", data={**FORM, field: value})
    assert answer.status_code == 422
    assert 'class="error"' in answer.text
    for name in {"phone", "health_notes", "entry_note"} - {field}:
        assert FORM[name] in answer.text


def test_a_button_is_worn_by_one_person(ward: Ward) -> None:
    taken = replace(PROFILE, device_id=ward.world.devices["button"])
    with ward.world.db.write() as session, pytest.raises(ConflictError) as refused:
        wearers.register(
            session,
            ward.worker,
            ward.world.regions["spring"],
            "王芳",
            "13800000001",
            taken,
            ward.world.clock(),
        )
    assert refused.value.field == "device_id"


def test_another_community_s_resident_or_somebody_undecided_is_not_found(ward: Ward) -> None:
    for name, phone in (("孙悦", "13800000004"), ("赵强", "13800000002")):
        with ward.world.db.write() as session, pytest.raises(DomainError) as refused:
            wearers.find_resident(session, ward.world.regions["spring"], name, phone)
        assert refused.value.code == "resident_unknown"


def test_opening_the_notes_outside_an_alarm_is_audited(ward: Ward, people: People) -> None:
    page = people.client("worker").get(f"/work/telecare/wearers/{ward.wearer}/edit").text
    assert NOTES in page
    assert ENTRY in page
    with ward.world.db.read() as session:
        actions = session.scalars(select(AuditEntry.action)).all()
    assert "wearer.open_notes" in actions


def test_ending_wipes_notes_and_contacts_and_frees_the_button(ward: Ward, people: People) -> None:
    worker = people.client("worker")
    assert worker.post(f"/work/telecare/wearers/{ward.wearer}/end").status_code == 302
    assert worker.get(f"/work/telecare/wearers/{ward.wearer}").status_code == 404
    with ward.world.db.read() as session:
        row = session.get_one(Wearer, ward.wearer)
        assert (row.health_notes, row.entry_note, row.device_id) == ("", "", None)
        assert {(c.name, c.phone) for c in row.contacts} == {("", "")}
    ward.press()
    ward.wait(15)
    assert ward.told() == [(1, ward.person("worker"))]


def test_contacts_are_asked_in_their_order_which_can_be_changed(ward: Ward) -> None:
    added = add(ward, DRAFT)
    assert order(ward) == ["王芳", DAUGHTER, "郑未定", "周海涛"]
    with ward.world.db.write() as session:
        for _ in range(5):
            contacts.move_up(session, ward.worker, ward.wearer, added.id)
    assert order(ward)[0] == "周海涛"
    ward.press()
    ward.wait(15)
    assert ward.told() == [(1, f"contact:{added.id}")]


def test_a_contact_who_is_a_resident_is_linked_and_an_outsider_is_not(ward: Ward) -> None:
    own = add(ward, replace(DRAFT, name="李小明", phone="13800000000"))
    assert own.resident_id == ward.world.residents["resident"]
    assert (own.name, own.phone) == ("", "")
    other = add(ward, replace(DRAFT, name="李大明", phone="13800000000"))
    assert (other.resident_id, other.name) == (None, "李大明")


def test_consent_is_kept_with_time_and_who_recorded_it_and_asked_anew_of_another_person(
    ward: Ward,
) -> None:
    added = add(ward, DRAFT)
    assert (added.consent_at, added.consent_by) == (
        ward.world.clock(),
        ward.world.users["worker"],
    )
    ward.world.clock.forward(days=3)

    def change(draft: Draft) -> Contact:
        with ward.world.db.write() as session:
            now = ward.world.clock()
            return contacts.change(session, ward.worker, ward.wearer, added.id, draft, now)

    assert change(replace(DRAFT, from_minute=60)).consent_at == added.consent_at
    assert change(replace(DRAFT, name="周海波")).consent_at == ward.world.clock()
    assert change(replace(DRAFT, consent_how="")).consent_at is None


@pytest.mark.parametrize("field", sorted(CONTACT))
@pytest.mark.parametrize("value", ["", "<script>", "25:99", "长" * 300])
def test_nonsense_in_the_contacts_form_is_a_sentence_beside_its_field(
    ward: Ward, people: People, field: str, value: str
) -> None:
    may_be_empty = {"from_minute", "until_minute", "consent_how"}
    fits = (not value and field in may_be_empty) or (field == "name" and len(value) < 40 and value)
    path = f"/work/telecare/wearers/{ward.wearer}/contacts/new"
    answer = people.client("worker").post(path, data={**CONTACT, field: value})
    assert answer.status_code == (302 if fits else 422)
    if not fits:
        assert f'id="{field}-error"' in answer.text


def test_there_are_ten_contacts_at_most(ward: Ward, people: People) -> None:
    for number in range(7):
        add(ward, replace(DRAFT, name=f"联系人{number}"))
    path = f"/work/telecare/wearers/{ward.wearer}/contacts/new"
    answer = people.client("worker").post(path, data=CONTACT)
    assert answer.status_code == 422
    assert "There are ten contacts" in answer.text


def test_a_contact_of_another_wearer_is_not_found(ward: Ward, people: People) -> None:
    worker = people.client("worker")
    location = worker.post("/work/telecare/wearers/new", data=FORM).location
    contact = ward.contacts["daughter"]
    assert worker.get(f"{location}/contacts/{contact}").status_code == 404
    assert worker.post(f"{location}/contacts/{contact}/remove").status_code == 404
    here = f"/work/telecare/wearers/{ward.wearer}/contacts/{contact}"
    assert worker.get(here).status_code == 200
    assert worker.post(f"{here}/up").status_code == 302
    assert worker.post(f"{here}/remove").status_code == 302
    assert DAUGHTER not in order(ward)


@pytest.mark.parametrize(
    ("hours", "minute", "expected"),
    [
        ((0, 0), 200, True),
        ((480, 1200), 479, False),
        ((480, 1200), 480, True),
        ((480, 1200), 1200, False),
        ((1320, 360), 1400, True),
        ((1320, 360), 100, True),
        ((1320, 360), 700, False),
    ],
)
def test_hours_may_run_over_midnight(hours: tuple[int, int], minute: int, expected: bool) -> None:
    contact = Contact(
        from_minute=hours[0], until_minute=hours[1], consent_at=datetime(2026, 3, 1, tzinfo=UTC)
    )
    assert reachable(contact, minute) is expected


@pytest.mark.parametrize("role", Role)
def test_only_who_manages_may_change_people(ward: Ward, role: Role) -> None:
    actor = ward.world.staff(role)
    with ward.world.db.write() as session:
        if role is Role.WORKER:
            wearers.change(session, actor, ward.wearer, PROFILE)
            return
        with pytest.raises(ForbiddenError):
            wearers.change(session, actor, ward.wearer, PROFILE)
        with pytest.raises(ForbiddenError):
            contacts.add(session, actor, ward.wearer, DRAFT, ward.world.clock())


def test_strangers_find_nobody(ward: Ward) -> None:
    far = ward.world.staff(Role.WORKER, "autumn")
    with ward.world.db.write() as session, pytest.raises(NotFoundError):
        wearers.change(session, far, ward.wearer, PROFILE)


def plan(ward: Ward, start: datetime, hours: float = 8, days: int = 1, role: str = "worker") -> int:
    with ward.world.db.write() as session:
        return roster.plan(
            session,
            ward.worker,
            ward.world.regions["spring"],
            ward.world.users[role],
            start,
            start + timedelta(hours=hours),
            days,
        )


def test_duty_is_planned_on_pages_and_taken_out_again(ward: Ward, people: People) -> None:
    worker = people.client("worker")
    form = {
        "user_id": str(ward.world.users["gatekeeper"]),
        "starts_at": "2026-03-03T20:00",
        "ends_at": "2026-03-04T08:00",
        "days": "3",
    }
    assert worker.post("/work/telecare/duty", data=form).status_code == 302
    page = worker.get("/work/telecare/duty").text
    assert page.count(">gatekeeper</span>") == 3
    with ward.world.db.read() as session:
        shift = session.scalars(select(Shift).order_by(Shift.id.desc())).first()
    assert shift is not None
    assert shift.starts_at == datetime(2026, 3, 5, 12, 0, tzinfo=UTC)
    assert worker.post(f"/work/telecare/duty/{shift.id}/cancel").status_code == 302
    assert worker.get("/work/telecare/duty").text.count(">gatekeeper</span>") == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("user_id", "abc"),
        ("user_id", "1"),
        ("starts_at", "soon"),
        ("ends_at", "2026-03-02T20:00"),
        ("ends_at", "2026-03-09T20:00"),
        ("days", "0"),
        ("days", "99"),
    ],
)
def test_nonsense_in_the_roster_is_a_sentence_beside_its_field(
    ward: Ward, people: People, field: str, value: str
) -> None:
    form = {
        "user_id": str(ward.world.users["gatekeeper"]),
        "starts_at": "2026-03-03T20:00",
        "ends_at": "2026-03-04T08:00",
        "days": "3",
        field: value,
    }
    answer = people.client("worker").post("/work/telecare/duty", data=form)
    assert answer.status_code == 422
    assert f'id="{field}-error"' in answer.text


def test_the_same_shift_is_planned_once(ward: Ward) -> None:
    start = ward.world.clock() + timedelta(days=1)
    assert plan(ward, start, days=3) == 3
    assert plan(ward, start, days=5) == 2


def test_shifts_keep_their_hours_on_the_wall_when_clocks_change(ward: Ward) -> None:
    with ward.world.db.write() as session:
        session.get_one(Region, ward.world.regions["spring"]).timezone = "Europe/Berlin"
    plan(
        ward, datetime(2026, 3, 28, 7, 0, tzinfo=UTC), days=2
    )  # clocks change in the night between
    with ward.world.db.read() as session:
        starts = session.scalars(
            select(Shift.starts_at).order_by(Shift.starts_at.desc()).limit(2)
        ).all()
    assert [s.hour for s in starts] == [6, 7]


def test_whoever_may_not_respond_is_not_put_on_duty(ward: Ward) -> None:
    with pytest.raises(DomainError) as refused:
        plan(ward, ward.world.clock(), role="audit_admin")
    assert refused.value.field == "user_id"


@pytest.mark.parametrize(
    "path", ["wearers", "wearers/new", "duty", "settings", "buttons", "report", "past", ""]
)
@pytest.mark.parametrize("who", [None, "resident", "support", "gatekeeper", "worker"])
def test_who_may_open_which_part(ward: Ward, people: People, path: str, who: str | None) -> None:
    status = people.client(who).get(f"/work/telecare/{path}".rstrip("/")).status_code
    managing = path in {"wearers/new", "settings"}
    expected = {None: 302, "worker": 200, "gatekeeper": 403 if managing else 200}
    assert status == expected.get(who, 403)
