"""Phone numbers from home and abroad."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.identifiers import Kind, Reason, check_phone


@pytest.mark.parametrize(
    "typed",
    [
        "13812345678",
        "+8613812345678",
        "+86 138-1234-5678",
        "008613812345678",
        "86 13812345678",
        "（+86）13812345678",
        "\uff11\uff13\uff18\uff11\uff12\uff13\uff14\uff15\uff16\uff17\uff18",
        "\u202d138 1234 5678\u202c",
    ],
)
def test_a_mobile_number_is_brought_to_eleven_digits(typed: str) -> None:
    checked = check_phone(typed)
    assert checked.valid
    assert (checked.value, checked.details["region"]) == ("13812345678", "mainland")


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ("+85291234567", "+85291234567"),
        ("00852 9123 4567", "+85291234567"),
        ("+44 (20) 7946 0958", "+442079460958"),
        ("+1-202-555-0143", "+12025550143"),
    ],
)
def test_a_number_from_abroad_is_kept_as_e164(typed: str, value: str) -> None:
    checked = check_phone(typed)
    assert (checked.valid, checked.value) == (True, value)
    assert checked.details["region"] == "international"


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (None, Reason.EMPTY),
        ("( )", Reason.EMPTY),
        ("1381234567a", Reason.ALPHABET),
        ("138123456٧8", Reason.ALPHABET),
        ("138+12345678", Reason.ALPHABET),
        ("1381234567", Reason.LENGTH),
        ("138123456789", Reason.LENGTH),
        ("+123456", Reason.LENGTH),
        ("+1234567890123456", Reason.LENGTH),
        ("12812345678", Reason.PREFIX),
        ("+8612812345678", Reason.PREFIX),
        ("+012345678", Reason.PREFIX),
    ],
)
def test_a_refusal_names_its_reason(typed: str | None, reason: Reason) -> None:
    checked = check_phone(typed)
    assert (checked.kind, checked.valid, checked.reason) == (Kind.PHONE, False, reason)


@given(st.from_regex(r"1[3-9][0-9]{9}", fullmatch=True))
def test_every_mobile_number_is_accepted_and_stays_as_it_is(number: str) -> None:
    assert check_phone(number).value == number
    assert check_phone(number).valid


@given(st.text() | st.from_regex(r"[+0-9 ()-]{0,20}", fullmatch=True))
def test_a_normalised_number_is_its_own_normal_form(text: str) -> None:
    once = check_phone(text)
    if once.valid:
        again = check_phone(once.value)
        assert (again.valid, again.value) == (True, once.value)
