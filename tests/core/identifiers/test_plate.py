"""Licence plates by class, and what is no plate."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.identifiers import Kind, PlateClass, Reason, check_plate
from portal.core.identifiers.plate import PROVINCES, plate_class

LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ"


@pytest.mark.parametrize(
    ("plate", "expected"),
    [
        ("京AD12345", PlateClass.NEW_ENERGY),
        ("粤BDA1234", PlateClass.NEW_ENERGY),
        ("沪AF00001", PlateClass.NEW_ENERGY),
        ("川A12345D", PlateClass.NEW_ENERGY),
        ("京A12345", PlateClass.ORDINARY),
        ("沪C0A12B", PlateClass.ORDINARY),
        ("琼E99999", PlateClass.ORDINARY),
        ("鲁B1234挂", PlateClass.TRAILER),
        ("浙A0123学", PlateClass.TRAINING),
        ("京A0006警", PlateClass.POLICE),
        ("粤Z1234港", PlateClass.HONGKONG_MACAO),
        ("粤ZF12K澳", PlateClass.HONGKONG_MACAO),
        ("使014578", PlateClass.EMBASSY),
        ("224001使", PlateClass.EMBASSY),
        ("沪A2233领", PlateClass.CONSULATE),
        ("VA12345", PlateClass.MANUAL),
        ("WJ京1234X", PlateClass.MANUAL),
        ("京X1234应急", PlateClass.MANUAL),
    ],
)
def test_a_plate_has_the_class_its_shape_tells(plate: str, expected: PlateClass) -> None:
    checked = check_plate(plate)
    assert checked.reason is None
    assert plate_class(checked) is expected
    assert checked.details["opens_automatically"] is (expected is not PlateClass.MANUAL)


@pytest.mark.parametrize(
    "typed", ["京a·12345", " 京A-12345", "京A・12345", "京A•12345", "京 A 12345\n"]
)
def test_what_people_type_is_brought_to_one_form(typed: str) -> None:
    assert check_plate(typed).value == "京A12345"
    assert check_plate(typed).valid


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (None, Reason.EMPTY),
        ("", Reason.EMPTY),
        ("京A1234", Reason.LENGTH),
        ("京A12345678", Reason.LENGTH),
        ("京A1234?", Reason.ALPHABET),
        ("京A1234a\u0301", Reason.ALPHABET),
        ("A123456", Reason.PROVINCE),
        ("京112345", Reason.ISSUER),
        ("京I12345", Reason.ISSUER),
        ("京O12345", Reason.ISSUER),
        ("京A1234I", Reason.PATTERN),
        ("京AL12345", Reason.PATTERN),
        ("京A123456", Reason.PATTERN),
        ("京A12345挂", Reason.PATTERN),
        ("沪Z1234港", Reason.PATTERN),
        ("京A12345\n京A12345", Reason.LENGTH),
        ("使12345领", Reason.PATTERN),
    ],
)
def test_a_refusal_names_its_reason(typed: str | None, reason: Reason) -> None:
    checked = check_plate(typed)
    assert (checked.kind, checked.valid, checked.reason) == (Kind.PLATE, False, reason)


@given(
    st.sampled_from(PROVINCES),
    st.sampled_from(LETTERS),
    st.text(LETTERS + "0123456789", min_size=5, max_size=5),
)
def test_every_ordinary_plate_is_accepted(province: str, issuer: str, number: str) -> None:
    checked = check_plate(province + issuer + number)
    assert plate_class(checked) is PlateClass.ORDINARY
    assert checked.details["province"] == province


@given(st.from_regex(rf"[{PROVINCES}][A-HJ-NP-Z][A-Z0-9]{{6}}", fullmatch=True))
def test_eight_characters_are_new_energy_or_nothing(plate: str) -> None:
    # an independent reading of GA 36: a letter A-K but I, at the third or the last place
    tail = plate[2:]
    small = tail[0] in "ABCDEFGHJK" and tail[1] not in "IO" and tail[2:].isdecimal()
    large = tail[:5].isdecimal() and tail[5] in "ABCDEFGHJK"
    assert check_plate(plate).valid == (small or large)


@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    checked = check_plate(text)
    assert checked.kind is Kind.PLATE
    assert checked.valid == (checked.reason is None)


@given(st.text(PROVINCES + "ABIOZ09挂学警港澳使领应急国WJ", max_size=9))
def test_nothing_with_the_letters_i_or_o_opens_automatically(text: str) -> None:
    checked = check_plate(text)
    if checked.valid and re.search("[IO]", checked.value):
        assert plate_class(checked) is PlateClass.MANUAL


def test_a_refused_plate_has_no_class() -> None:
    with pytest.raises(ValueError, match="accepted"):
        plate_class(check_plate("京"))
