"""Registration by the poster's code, step by step, in a browser without a screen."""

from __future__ import annotations

import html
import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select, text

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


def person_data(**changed: str) -> dict[str, str]:
    data = {
        "name": "陈静",
        "phone": NEW_PHONE,
        "document_type": "resident_id",
        "document_number": NUMBER,
        "password": PASSWORD,
        "confirm": PASSWORD,
    }
    return {**data, **changed}


def home_data(town: Town, **changed: str) -> dict[str, str]:
    data = {
        "building": str(town.ids["community:building"]),
        "unit": str(town.ids["community:unit"]),
        "dwelling": str(town.ids["community:dwelling"]),
        "relation": "tenant",
    }
    return {**data, **changed}


def at_data(town: Town, uscc: str = USCC) -> Person:
    """Somebody who has agreed."""
    person = town.person()
    assert person.get(f"/r/{uscc}").status_code == 200
    assert person.post(f"/r/{uscc}", {"agree": "y"}).location == f"/r/{uscc}/data"
    return person


def at_dwelling(town: Town, uscc: str = USCC, **changed: str) -> Person:
    """Somebody who has said who they are."""
    person = at_data(town, uscc)
    answer = person.post(f"/r/{uscc}/data", person_data(**changed))
    assert answer.status_code == 303, answer.text
    return person


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
    person = at_dwelling(town)
    sent = person.post(f"/r/{USCC}/dwelling", home_data(town))
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
    person.post(f"/r/{USCC}/data", person_data())
    person.post(f"/r/{USCC}/dwelling", home_data(town))
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
    for step in ("", "/data", "/dwelling", "/done"):
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
    for step in ("data", "dwelling", "done"):
        assert person.get(f"/r/{USCC}/{step}").location == f"/r/{USCC}"
    assert person.post(f"/r/{USCC}/data", person_data()).location == f"/r/{USCC}"


def test_consent_in_one_community_is_none_in_another(town: Town) -> None:
    person = at_data(town)
    assert person.get(f"/r/{OTHER_USCC}/data").location == f"/r/{OTHER_USCC}"


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
    person = at_data(town)
    answer = person.post(f"/r/{USCC}/data", person_data(**{name: value}))
    assert answer.status_code == 422
    assert sentence in field(answer.text, name)
    if name not in {"password", "confirm", "document_type"}:
        assert 'aria-invalid="true"' in field(answer.text, name)
    for other, typed in person_data(**{name: value}).items():
        if other in {"name", "phone", "document_number"}:
            assert f'value="{html.escape(typed)}"' in answer.text
    assert PASSWORD not in answer.text
    assert count(town, Resident) == 4


def test_other_documents_are_accepted_by_type(town: Town) -> None:
    person = at_data(town)
    bad = person.post(
        f"/r/{USCC}/data", person_data(document_type="passport", document_number="E1")
    )
    assert "6 to 20 letters and digits" in field(bad.text, "document_number")
    at_dwelling(town, document_type="passport", document_number="e 1234-5678").post(
        f"/r/{USCC}/dwelling", home_data(town)
    )
    resident = registered(town)
    assert resident.document_type == DocumentType.PASSPORT
    assert resident.document_number == "E12345678"


def test_the_lists_follow_each_other(town: Town) -> None:
    person = at_dwelling(town)
    building = str(town.ids["community:building"])
    part = person.post(
        f"/r/{USCC}/dwelling", {"building": building}, headers={"HX-Request": "true"}
    )
    assert part.status_code == 200
    assert "<html" not in part.text
    assert "1单元" in part.text
    assert ">101<" not in part.text
    whole = person.post(f"/r/{USCC}/dwelling", home_data(town, step="choose", dwelling=""))
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
    person = at_dwelling(town)
    answer = person.post(f"/r/{USCC}/dwelling", home_data(town, **{name: value}))
    assert answer.status_code == 422
    assert sentence in field(answer.text, name)
    assert count(town, Resident) == 4


def test_a_dwelling_of_another_community_is_refused(town: Town) -> None:
    person = at_dwelling(town)
    foreign = home_data(
        town,
        building=str(town.ids["other:building"]),
        unit=str(town.ids["other:unit"]),
        dwelling=str(town.ids["other:dwelling"]),
    )
    assert person.post(f"/r/{USCC}/dwelling", foreign).status_code == 422
    assert count(town, Resident) == 4


def test_going_back_keeps_what_was_entered(town: Town) -> None:
    person = at_dwelling(town)
    page = person.get(f"/r/{USCC}/data").text
    assert 'value="陈静"' in page
    assert f'value="{NEW_PHONE}"' in page
    assert "leave it empty to keep it" in page
    again = person.post(f"/r/{USCC}/data", person_data(name="陈敬", password="", confirm=""))
    assert again.status_code == 303
    person.post(f"/r/{USCC}/dwelling", home_data(town))
    assert registered(town).name == "陈敬"
    assert town.person().sign_in(NEW_PHONE, PASSWORD).status_code == 302


def test_the_cookie_tells_nothing_of_the_person(town: Town) -> None:
    person = at_dwelling(town)
    with person.client.session_transaction() as kept:
        everything = repr(dict(kept))
    for secret in ("陈静", NEW_PHONE, NUMBER, PASSWORD, "argon2"):
        assert secret not in everything


def test_no_address_holds_personal_data(town: Town) -> None:
    person = town.person()
    addresses = []
    for path, data in (
        (f"/r/{USCC}", {"agree": "y"}),
        (f"/r/{USCC}/data", person_data()),
        (f"/r/{USCC}/dwelling", home_data(town)),
    ):
        person.get(path)
        addresses.append(person.post(path, data).location)
    assert addresses == [f"/r/{USCC}/data", f"/r/{USCC}/dwelling", f"/r/{USCC}/done"]


def test_a_draft_lapses(town: Town) -> None:
    person = at_dwelling(town)
    town.clock.now += timedelta(minutes=61)
    assert person.get(f"/r/{USCC}/dwelling").location == f"/r/{USCC}"
    assert person.post(f"/r/{USCC}/dwelling", home_data(town)).location == f"/r/{USCC}"
    assert count(town, Resident) == 4


def test_an_altered_draft_is_none(town: Town) -> None:
    person = at_dwelling(town)
    with person.client.session_transaction() as kept:
        sealed = kept["registration"]
        kept["registration"] = sealed[:-6] + "AAAAA="
    assert person.get(f"/r/{USCC}/dwelling").location == f"/r/{USCC}"


def test_sending_twice_registers_once(town: Town) -> None:
    person = at_dwelling(town)
    first = person.post(f"/r/{USCC}/dwelling", home_data(town))
    second = person.post(f"/r/{USCC}/dwelling", home_data(town))
    assert first.location == second.location == f"/r/{USCC}/done"
    assert count(town, Resident) == 5


def test_a_registered_phone_is_told_so_beside_the_field(town: Town) -> None:
    for phone in ("13800138001", "13800138002", "13800138004"):
        person = at_data(town)
        answer = person.post(f"/r/{USCC}/data", person_data(phone=phone))
        assert answer.status_code == 422
        assert "already registered" in field(answer.text, "phone")
        for name in ("张", "李秀英", "王芳"):
            assert name not in answer.text


def test_a_registered_document_is_told_so_beside_the_field(town: Town) -> None:
    number = identity_number("11010519900307101")
    answer = at_data(town).post(f"/r/{USCC}/data", person_data(document_number=number))
    assert answer.status_code == 422
    assert "already registered here" in field(answer.text, "document_number")
    assert "张" not in answer.text


def test_two_who_fill_in_the_same_phone_at_once(town: Town) -> None:
    first, second = at_dwelling(town), at_dwelling(town)
    assert first.post(f"/r/{USCC}/dwelling", home_data(town)).status_code == 303
    late = second.post(f"/r/{USCC}/dwelling", home_data(town))
    assert late.status_code == 409
    assert "already registered" in field(late.text, "phone")
    assert 'value="陈静"' in late.text
    assert count(town, Resident) == 5


def test_the_refused_may_register_again(town: Town) -> None:
    before = town.person("refused")
    assert "房号与户口不符" in before.get("/home").text
    person = at_dwelling(
        town,
        name="欧阳小明",
        phone="13800138003",
        document_number=identity_number("11010519790512303"),
    )
    assert person.post(f"/r/{USCC}/dwelling", home_data(town)).status_code == 303
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
    person = at_dwelling(
        town,
        OTHER_USCC,
        name="欧阳小明",
        phone="13800138003",
        document_number=identity_number("11010519790512303"),
    )
    there = home_data(
        town,
        building=str(town.ids["other:building"]),
        unit=str(town.ids["other:unit"]),
        dwelling=str(town.ids["other:dwelling"]),
    )
    assert person.post(f"/r/{OTHER_USCC}/dwelling", there).status_code == 303
    resident = registered(town)
    assert resident.community_id == town.ids["other"]
    with town.db.read() as session:
        account = session.scalars(select(User).where(User.resident_id == resident.id)).one()
    assert account.id == town.ids["user:refused"]


def test_registrations_from_one_address_are_limited(town: Town) -> None:
    person = at_data(town)
    answers = [
        person.post(f"/r/{USCC}/data", person_data(phone="1")).status_code for _ in range(31)
    ]
    assert answers.count(422) >= 28
    assert answers[-1] == 429
