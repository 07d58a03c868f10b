"""Resident identity numbers: dates, areas, checks, and a second opinion."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import ric as oracle

from portal.core.identifiers import Kind, Reason, Sex, check_resident_id, resident_id_with_check
from portal.core.identifiers.resident_id import PROVINCES, birth_date, sex

TODAY = date(2026, 11, 22)
SAMPLES = [  # published specimen numbers
    ("11010519491231002X", date(1949, 12, 31), Sex.FEMALE),
    ("440524188001010014", date(1880, 1, 1), Sex.MALE),
    ("360426199101010071", date(1991, 1, 1), Sex.MALE),
]

births = st.dates(date(1900, 1, 1), TODAY)
serials = st.text("0123456789", min_size=3, max_size=3)


@st.composite
def numbers(draw: st.DrawFn) -> str:
    area = draw(st.sampled_from(sorted(PROVINCES))) + draw(
        st.from_regex(r"[0-9]{4}", fullmatch=True)
    )
    return resident_id_with_check(f"{area}{draw(births):%Y%m%d}{draw(serials)}")


@pytest.mark.parametrize(("number", "born", "expected"), SAMPLES)
def test_specimen_numbers_are_accepted(number: str, born: date, expected: Sex) -> None:
    checked = check_resident_id(number, today=TODAY)
    assert checked.valid
    assert birth_date(checked) == born
    assert sex(checked) is expected


@given(numbers())
def test_numbers_of_every_area_are_accepted_retired_ones_too(number: str) -> None:
    checked = check_resident_id(number, today=TODAY)
    assert checked.reason is None
    assert f"{birth_date(checked):%Y%m%d}" == number[6:14]
    assert (sex(checked) is Sex.MALE) == (int(number[16]) % 2 == 1)


@given(numbers())
def test_agrees_with_stdnum_on_the_check_character(number: str) -> None:
    assert oracle.calc_check_digit(number) == number[-1]
    assert oracle.get_birth_date(number) == birth_date(check_resident_id(number, today=TODAY))


@given(st.from_regex(r"110105(19|20)[0-9]{9}[0-9X]", fullmatch=True))
def test_agrees_with_stdnum_on_numbers_that_may_be_wrong(number: str) -> None:
    ours = check_resident_id(number, today=date(2100, 1, 1))
    assert ours.valid == oracle.is_valid(number)


@pytest.mark.parametrize("number", [number for number, _, _ in SAMPLES])
def test_every_single_wrong_character_is_found(number: str) -> None:
    for place in range(18):
        for other in "0123456789X":
            if other != number[place]:
                slip = number[:place] + other + number[place + 1 :]
                assert not check_resident_id(slip, today=TODAY).valid


@given(numbers(), st.data())
def test_any_single_wrong_digit_and_any_swap_is_found(number: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, 16))
    other = data.draw(st.sampled_from("0123456789").filter(lambda digit: digit != number[place]))
    assert not check_resident_id(number[:place] + other + number[place + 1 :], today=TODAY).valid
    left = data.draw(st.integers(0, 15))
    if number[left] != number[left + 1]:
        swapped = number[:left] + number[left + 1] + number[left] + number[left + 2 :]
        assert not check_resident_id(swapped, today=TODAY).valid


@pytest.mark.parametrize(
    "typed",
    [
        "11010519491231002x",
        "110105 19491231 002x",
        "\uff11\uff11\uff10\uff11\uff10\uff15\uff11\uff19\uff14\uff19\uff11\uff12\uff13\uff11\uff10\uff10\uff12\uff58",
    ],
)
def test_what_people_type_is_brought_to_one_form(typed: str) -> None:
    assert check_resident_id(typed, today=TODAY).value == "11010519491231002X"
    assert check_resident_id(typed, today=TODAY).valid


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (None, Reason.EMPTY),
        ("110105491231002", Reason.LENGTH),
        ("X1010519491231002X", Reason.ALPHABET),
        ("١10105194912310029", Reason.ALPHABET),
        (resident_id_with_check("10010519491231002"), Reason.PROVINCE),
        (resident_id_with_check("11010520230229002"), Reason.BIRTH_DATE),
        (resident_id_with_check("11010519001301002"), Reason.BIRTH_DATE),
        (resident_id_with_check("11010500000101002"), Reason.BIRTH_DATE),
        (resident_id_with_check("11010517000101002"), Reason.BIRTH_DATE),
        (resident_id_with_check("11010520261123002"), Reason.BIRTH_DATE_IN_FUTURE),
        ("110105194912310020", Reason.CHECK_DIGIT),
    ],
)
def test_a_refusal_names_its_reason(typed: str | None, reason: Reason) -> None:
    checked = check_resident_id(typed, today=TODAY)
    assert (checked.kind, checked.valid, checked.reason) == (Kind.RESIDENT_ID, False, reason)


def test_somebody_born_today_is_accepted_and_tomorrow_refused() -> None:
    newborn = resident_id_with_check(f"110105{TODAY:%Y%m%d}001")
    assert check_resident_id(newborn, today=TODAY).valid
    yesterday = TODAY - timedelta(days=1)
    assert check_resident_id(newborn, today=yesterday).reason is Reason.BIRTH_DATE_IN_FUTURE


def test_without_a_given_day_the_present_one_counts() -> None:
    assert check_resident_id("11010519491231002X").valid
    future = resident_id_with_check("11010529990101001")
    assert check_resident_id(future).reason is Reason.BIRTH_DATE_IN_FUTURE


def test_a_refused_number_tells_nothing_about_its_holder() -> None:
    refused = check_resident_id("110105194912310020", today=TODAY)
    with pytest.raises(ValueError, match="accepted"):
        birth_date(refused)
    with pytest.raises(ValueError, match="accepted"):
        sex(refused)


@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    assert check_resident_id(text).kind is Kind.RESIDENT_ID


@pytest.mark.parametrize(
    "first17", ["", "1101051949123100", "1101051949123100X", "١1010519491231002"]
)
def test_a_number_is_not_built_from_nonsense(first17: str) -> None:
    with pytest.raises(ValueError, match="17 digits"):
        resident_id_with_check(first17)
