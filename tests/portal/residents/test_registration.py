"""Registration by the poster's code, step by step, in a browser without a screen."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import func, select, text
from werkzeug.test import TestResponse

from portal.accounts.models import User
from portal.privacy.models import Consent, ConsentText
from portal.residents.models import DocumentType, Residency, Resident, ResidentState
from tests.portal.cast import (
    OTHER_USCC,
    STRANGE_USCC,
    USCC,
    Person,
    Town,
    identity_number,
    resident_row,
)

NEW_PHONE = "13912345678"
NUMBER = identity_number("11010519920818551")
PASSWORD = "seven grey herons"


def answers(town: Town, **changed: str) -> dict[str, dict[str, str]]:
    """What somebody enters, by step."""
    steps = {
        "person": {"name": "陈静", "phone": NEW_PHONE},
        "document": {"document_type": "resident_id", "document_number": NUMBER},
        "dwelling": {
            "building": str(town.ids["community:building"]),
            "unit": str(town.ids["community:unit"]),
            "dwelling": str(town.ids["community:dwelling"]),
            "relation": "tenant",
        },
        "secret": {"password": PASSWORD, "confirm": PASSWORD},
        "check": {},
    }
    return {
        step: {name: changed.get(name, value) for name, value in entries.items()}
        for step, entries in steps.items()
    }


ORDER = ("person", "document", "dwelling", "secret", "check")


def at(town: Town, step: str, uscc: str = USCC, **changed: str) -> Person:
    """Somebody who has agreed and come to this step."""
    person = town.person()
    assert person.get(f"/r/{uscc}").status_code == 200
    assert person.post(f"/r/{uscc}", {"agree": "y"}).location == f"/r/{uscc}/person"
    given = answers(town, **changed)
    for here, onward in pairwise(ORDER):
        if here == step:
            break
        answer = person.post(f"/r/{uscc}/{here}", given[here])
        assert answer.status_code == 303, answer.text
        assert answer.location == f"/r/{uscc}/{onward}"
    return person


def put(town: Town, person: Person, page: str, button: str = "", **changed: str) -> TestResponse:
    """Send one step, by one of its buttons."""
    entries = answers(town, **changed)[page] | ({"step": button} if button else {})
    return person.post(f"/r/{USCC}/{page}", entries)


def send(person: Person, uscc: str = USCC) -> TestResponse:
    """Send the registration."""
    return person.post(f"/r/{uscc}/check")


def registered(town: Town) -> Resident:
    with town.db.read() as session:
        return session.scalars(select(Resident).order_by(Resident.id.desc()).limit(1)).one()


def count(town: Town, model: Any) -> int:
    with town.db.read() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def field(page: str, name: str) -> str:
    """The part of a page around one field."""
    parts = re.split(r'(?=class="field\b)|(?=class="actions")', html.unescape(page))
    (part,) = [part for part in parts if f' name="{name}"' in part]
    return part


def test_a_person_registers_from_poster_to_waiting(town: Town) -> None:
    person = at(town, "check")
    shown = html.unescape(person.get(f"/r/{USCC}/check").text)
    for answer in ("陈静", NEW_PHONE, NUMBER, "Resident identity card", "Tenant"):
        assert answer in shown
    assert PASSWORD not in shown
    assert count(town, Resident) == 4
    sent = send(person)
    assert (sent.status_code, sent.location) == (303, f"/r/{USCC}/done")
    assert "waits for approval" in person.get(sent.location).text

    resident = registered(town)
    assert resident.state == ResidentState.PENDING
    assert (resident.name, resident.phone, resident.document_number) == ("陈静", NEW_PHONE, NUMBER)
    assert resident.registered_at == town.clock.now
    with town.db.read() as session:
        consent = session.scalars(select(Consent).where(Consent.resident_id == resident.id)).one()
        home = session.scalars(select(Residency).where(Residency.resident_id == resident.id)).one()
    assert (consent.purpose, consent.version, consent.channel) == ("registration", 1, "web")
    assert consent.given_at == town.clock.now
    assert (home.dwelling_id, home.relation) == (town.ids["community:dwelling"], "tenant")

    signed_in = town.person()
    assert signed_in.sign_in(NEW_PHONE, PASSWORD).status_code == 302
    page = signed_in.get("/home").text
    assert "Your registration waits for approval." in page
    assert NEW_PHONE not in page
    assert NUMBER not in page


def test_the_consent_is_for_the_text_that_was_read(town: Town) -> None:
    person = town.person(language="zh_Hans_CN")
    page = person.get(f"/r/{USCC}")
    assert "居民登记个人信息处理告知与同意" in page.text
    person.post(f"/r/{USCC}", {"agree": "y"})
    for step, entries in answers(town).items():
        person.post(f"/r/{USCC}/{step}", entries)
    with town.db.read() as session:
        language = session.scalar(
            select(ConsentText.language)
            .join(Consent, Consent.text_id == ConsentText.id)
            .where(Consent.resident_id == registered(town).id)
        )
    assert language == "zh_Hans_CN"


def test_the_consent_text_is_there_even_if_nobody_published_one(town: Town) -> None:
    with town.db.write() as session:
        session.execute(text("delete from consents"))
        session.execute(text("delete from consent_texts"))
    assert "How it is kept" in town.person().get(f"/r/{USCC}").text
    assert count(town, ConsentText) == 2


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (USCC[:-1] + ("1" if USCC[-1] != "1" else "2"), "it was misread"),
        ("12345", "it was misread"),
        ("%3Cscript%3E", "it was misread"),
        (STRANGE_USCC, "No community with this code"),
    ],
)
def test_a_strange_code_gets_a_clear_page(town: Town, code: str, sentence: str) -> None:
    for step in ("", *(f"/{step}" for step in ORDER), "/done"):
        answer = town.person().get(f"/r/{code}{step}")
        assert answer.status_code == 404
        assert sentence in answer.text
        assert "<script>" not in answer.text


def test_a_code_in_small_letters_is_understood(town: Town) -> None:
    assert town.person().get(f"/r/{USCC.lower()}").status_code == 200


def test_without_agreement_nothing_goes_on(town: Town) -> None:
    person = town.person()
    person.get(f"/r/{USCC}")
    refused = person.post(f"/r/{USCC}")
    assert refused.status_code == 422
    assert "Without your agreement" in field(refused.text, "agree")
    for step in (*ORDER, "done"):
        assert person.get(f"/r/{USCC}/{step}").location == f"/r/{USCC}"
    assert put(town, person, "person").location == f"/r/{USCC}"


def test_consent_in_one_community_is_none_in_another(town: Town) -> None:
    person = at(town, "person")
    assert person.get(f"/r/{OTHER_USCC}/person").location == f"/r/{OTHER_USCC}"


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("name", "", "Enter the name"),
        ("name", "张3", "letters or Chinese characters only"),
        ("name", "<b>x</b>", "letters or Chinese characters only"),
        ("name", "长" * 61, "at most 60"),
        ("phone", "", "Enter the phone number."),
        ("phone", "1234", "11 digits"),
        ("phone", "23800138000", "begins with 13 to 19"),
        ("phone", "abc", "digits only"),
        ("document_number", "", "Enter the resident identity number."),
        ("document_number", NUMBER[:-1] + ("1" if NUMBER[-1] != "1" else "2"), "does not fit"),
        ("document_number", "110105199002307101", "no date of birth"),
        ("document_type", "library_card", "Choose the kind of document."),
        ("password", "short", "at least 10"),
        ("password", "1234567890", "too easy to guess"),
        ("password", f"x{NEW_PHONE}", "Do not use your name"),
        ("confirm", "something else", "not the same"),
    ],
)
def test_nonsense_is_refused_beside_its_field_and_the_rest_kept(
    town: Town, name: str, value: str, sentence: str
) -> None:
    given = answers(town, **{name: value})
    step = next(step for step, entries in given.items() if name in entries)
    answer = put(town, at(town, step), step, **{name: value})
    assert answer.status_code == 422
    assert sentence in field(answer.text, name)
    if name not in {"password", "confirm", "document_type"}:
        assert 'aria-invalid="true"' in field(answer.text, name)
    for other, typed in given[step].items():
        if other in {"name", "phone", "document_number"}:
            assert f'value="{html.escape(typed)}"' in answer.text
    assert PASSWORD not in answer.text
    assert count(town, Resident) == 4


def test_other_documents_are_accepted_by_type(town: Town) -> None:
    person = at(town, "document")
    bad = put(town, person, "document", document_type="passport", document_number="E1")
    assert "6 to 20 letters and digits" in field(bad.text, "document_number")
    send(at(town, "check", document_type="passport", document_number="e 1234-5678"))
    resident = registered(town)
    assert resident.document_type == DocumentType.PASSPORT
    assert resident.document_number == "E12345678"


def test_the_lists_follow_each_other(town: Town) -> None:
    person = at(town, "dwelling")
    building = str(town.ids["community:building"])
    part = person.post(
        f"/r/{USCC}/dwelling", {"building": building}, headers={"HX-Request": "true"}
    )
    assert part.status_code == 200
    assert "<html" not in part.text
    assert "1单元" in part.text
    assert ">101<" not in part.text
    whole = put(town, person, "dwelling", "choose", dwelling="")
    assert whole.status_code == 200
    assert "<html" in whole.text
    assert ">101<" in whole.text
    assert count(town, Resident) == 4


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("building", "", "Choose your building."),
        ("building", "999999", "Choose your building."),
        ("unit", "x", "Choose your unit."),
        ("dwelling", "", "Choose your dwelling"),
        ("dwelling", "-1", "Choose your dwelling"),
        ("relation", "king", "Choose how you belong"),
    ],
)
def test_a_dwelling_that_is_not_offered_is_refused(
    town: Town, name: str, value: str, sentence: str
) -> None:
    person = at(town, "dwelling")
    answer = put(town, person, "dwelling", **{name: value})
    assert answer.status_code == 422
    assert sentence in field(answer.text, name)
    assert count(town, Resident) == 4


def elsewhere(town: Town) -> dict[str, str]:
    """A dwelling of the other community."""
    return {name: str(town.ids[f"other:{name}"]) for name in ("building", "unit", "dwelling")}


def test_a_dwelling_of_another_community_is_refused(town: Town) -> None:
    person = at(town, "dwelling")
    assert put(town, person, "dwelling", **elsewhere(town)).status_code == 422
    assert count(town, Resident) == 4


def test_no_step_can_be_left_out(town: Town) -> None:
    for here, reached in enumerate(ORDER):
        person = at(town, reached)
        for later in ORDER[here + 1 :]:
            assert person.get(f"/r/{USCC}/{later}").location == f"/r/{USCC}/{reached}"
            assert put(town, person, later).location == f"/r/{USCC}/{reached}"
    assert count(town, Resident) == 4


def test_going_back_keeps_what_was_entered(town: Town) -> None:
    person = at(town, "check")
    page = person.get(f"/r/{USCC}/person").text
    assert 'value="陈静"' in page
    assert f'value="{NEW_PHONE}"' in page
    assert "leave it empty to keep it" in person.get(f"/r/{USCC}/secret").text


def test_back_keeps_what_is_right_on_the_page_and_forgets_what_is_wrong(town: Town) -> None:
    person = at(town, "document")
    answer = put(town, person, "document", "back", document_type="passport", document_number="E1")
    assert answer.location == f"/r/{USCC}/person"
    page = person.get(f"/r/{USCC}/document").text
    assert re.search(r'<input[^>]+checked[^>]+value="passport"', page)
    assert 'value="E1"' not in page
    first = put(town, person, "person", "back", name="", phone="13912345679")
    assert first.location == f"/r/{USCC}?read=1"
    assert "I have read this and agree." in person.get(first.location).text
    page = person.get(f"/r/{USCC}/person").text
    assert 'value="陈静"' in page
    assert 'value="13912345679"' in page


def test_a_change_leads_straight_back_to_the_check(town: Town) -> None:
    person = at(town, "check")
    for step, changed in (
        ("person", {"name": "陈敬"}),
        ("secret", {"password": "", "confirm": ""}),
    ):
        assert f'href="/r/{USCC}/{step}"' in person.get(f"/r/{USCC}/check").text
        assert put(town, person, step, "back").location == f"/r/{USCC}/check"
        assert put(town, person, step, **changed).location == f"/r/{USCC}/check"
    send(person)
    assert registered(town).name == "陈敬"
    assert town.person().sign_in(NEW_PHONE, PASSWORD).status_code == 302


def closed(person: Person) -> None:
    """The browser is closed and opened again: cookies without an end are gone."""
    person.client.delete_cookie("linli")
    person.token = ""


def test_one_goes_on_after_the_browser_was_closed_by_the_number_that_was_entered(
    town: Town,
) -> None:
    person = at(town, "secret")
    closed(person)
    page = person.get(f"/r/{USCC}").text
    assert "Go on where you stopped?" in page
    for secret in ("陈静", NEW_PHONE, NUMBER, f"/r/{USCC}/secret"):
        assert secret not in page
    for step in ORDER:
        assert person.get(f"/r/{USCC}/{step}").location == f"/r/{USCC}"
    wrong = person.post(f"/r/{USCC}/continue", {"phone": "13912345670"})
    assert wrong.status_code == 422
    assert "not the number that was entered" in field(wrong.text, "phone")
    assert person.get(f"/r/{USCC}/person").location == f"/r/{USCC}"
    nonsense = person.post(f"/r/{USCC}/continue", {"phone": "<b>"})
    assert "digits only" in field(nonsense.text, "phone")
    right = person.post(f"/r/{USCC}/continue", {"phone": f"+86 {NEW_PHONE}"})
    assert right.location == f"/r/{USCC}/secret"
    put(town, person, "secret")
    assert send(person).location == f"/r/{USCC}/done"
    assert registered(town).name == "陈静"


def test_the_next_person_at_the_phone_reads_nothing(town: Town) -> None:
    person = at(town, "check")
    town.clock.now += timedelta(minutes=31)
    for step in ORDER:
        answer = person.get(f"/r/{USCC}/{step}")
        assert answer.location == f"/r/{USCC}"
    # Agreeing anew does not open what somebody else has entered.
    assert person.post(f"/r/{USCC}", {"agree": "y"}).location == f"/r/{USCC}/person"
    assert "陈静" not in person.get(f"/r/{USCC}/person").text


def test_within_half_an_hour_one_goes_on_without_a_number(town: Town) -> None:
    person = at(town, "dwelling")
    town.clock.now += timedelta(minutes=29)
    page = person.get(f"/r/{USCC}").text
    assert f'href="/r/{USCC}/dwelling"' in page
    assert "陈静" not in page


def test_starting_again_forgets_everything(town: Town) -> None:
    person = at(town, "check")
    assert person.post(f"/r/{USCC}/again").location == f"/r/{USCC}"
    assert person.client.get_cookie("registration", path="/r") is None
    assert "I have read this and agree." in person.get(f"/r/{USCC}").text
    person.post(f"/r/{USCC}", {"agree": "y"})
    assert "陈静" not in person.get(f"/r/{USCC}/person").text


def test_the_cookies_tell_nothing_of_the_person(town: Town) -> None:
    person = at(town, "check")
    kept = person.client.get_cookie("registration", path="/r")
    assert kept is not None
    assert kept.http_only
    assert kept.max_age is not None
    assert 86_000 < kept.max_age <= 86_400
    with person.client.session_transaction() as session:
        everything = repr(dict(session)) + kept.value
    assert len(kept.value) < 2000
    for secret in ("陈静", NEW_PHONE, NUMBER, PASSWORD, "argon2"):
        assert secret not in everything


def test_no_address_holds_personal_data(town: Town) -> None:
    person = town.person()
    addresses = []
    for path, data in (
        (f"/r/{USCC}", {"agree": "y"}),
        *((f"/r/{USCC}/{step}", entries) for step, entries in answers(town).items()),
    ):
        person.get(path)
        addresses.append(person.post(path, data).location)
    assert addresses == [f"/r/{USCC}/{step}" for step in (*ORDER, "done")]


def test_a_draft_lapses_after_a_day(town: Town) -> None:
    person = at(town, "check")
    town.clock.now += timedelta(hours=24, seconds=1)
    assert "I have read this and agree." in person.get(f"/r/{USCC}").text
    assert person.post(f"/r/{USCC}/continue", {"phone": NEW_PHONE}).location == f"/r/{USCC}"
    assert send(person).location == f"/r/{USCC}"
    assert count(town, Resident) == 4


def test_an_altered_draft_is_none(town: Town) -> None:
    person = at(town, "check")
    kept = person.client.get_cookie("registration", path="/r")
    assert kept is not None
    for value in (kept.value[:-6] + "AAAAA=", "", "x", "AAAA"):
        person.client.set_cookie("registration", value, path="/r")
        assert person.get(f"/r/{USCC}/check").location == f"/r/{USCC}"


def test_a_draft_of_somebody_elses_session_stays_locked(town: Town) -> None:
    mine, theirs = at(town, "check"), at(town, "check", phone="13912345671")
    kept = theirs.client.get_cookie("registration", path="/r")
    assert kept is not None
    mine.client.set_cookie("registration", kept.value, path="/r")
    assert mine.get(f"/r/{USCC}/check").location == f"/r/{USCC}"


def test_sending_twice_registers_once(town: Town) -> None:
    person = at(town, "check")
    first, second = send(person), send(person)
    assert first.location == second.location == f"/r/{USCC}/done"
    assert count(town, Resident) == 5


def test_a_registered_phone_is_told_so_beside_the_field(town: Town) -> None:
    for phone in ("13800138001", "13800138002", "13800138004"):
        answer = put(town, at(town, "person"), "person", phone=phone)
        assert answer.status_code == 409
        assert "already registered" in field(answer.text, "phone")
        for name in ("张", "李秀英", "王芳"):
            assert name not in answer.text


def test_a_registered_document_is_told_so_beside_the_field(town: Town) -> None:
    number = identity_number("11010519900307101")
    answer = put(town, at(town, "document"), "document", document_number=number)
    assert answer.status_code == 409
    assert "already registered here" in field(answer.text, "document_number")
    assert "张" not in answer.text


def test_two_who_fill_in_the_same_phone_at_once(town: Town) -> None:
    first, second = at(town, "check"), at(town, "check")
    assert send(first).status_code == 303
    late = send(second)
    assert late.status_code == 409
    assert "already registered" in field(late.text, "phone")
    assert 'value="陈静"' in late.text
    assert count(town, Resident) == 5


def test_the_refused_may_register_again(town: Town) -> None:
    before = town.person("refused")
    assert "房号与户口不符" in before.get("/home").text
    person = at(
        town,
        "check",
        name="欧阳小明",
        phone="13800138003",
        document_number=identity_number("11010519790512303"),
    )
    assert send(person).status_code == 303
    assert count(town, Resident) == 4
    again = resident_row(town, "refused")
    assert again.state == ResidentState.PENDING
    assert (again.decided_at, again.decision_note) == (None, "")
    assert before.get("/home").status_code == 302, "sessions of before end"
    assert town.person().sign_in("13800138003", PASSWORD).status_code == 302
    with town.db.read() as session:
        homes = session.scalars(
            select(Residency).where(Residency.resident_id == town.ids["refused"])
        ).all()
    assert [home.until is None for home in homes] == [False, True]


def test_who_was_refused_in_the_wrong_community_may_register_in_the_right_one(town: Town) -> None:
    person = at(
        town,
        "check",
        OTHER_USCC,
        name="欧阳小明",
        phone="13800138003",
        document_number=identity_number("11010519790512303"),
        **elsewhere(town),
    )
    assert send(person, OTHER_USCC).status_code == 303
    resident = registered(town)
    assert resident.community_id == town.ids["other"]
    with town.db.read() as session:
        account = session.scalars(select(User).where(User.resident_id == resident.id)).one()
    assert account.id == town.ids["user:refused"]


def test_registrations_from_one_address_are_limited(town: Town) -> None:
    person = at(town, "person")
    answers_got = [put(town, person, "person", phone="1").status_code for _ in range(31)]
    assert answers_got.count(422) >= 28
    assert answers_got[-1] == 429
