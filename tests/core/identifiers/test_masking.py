"""What is shown of personal data by default."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.identifiers import mask_id, mask_name, mask_phone, mask_plate, write_plate


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("张小三", "张*三"),
        ("张三", "张*"),
        ("欧阳娜娜", "欧**娜"),
        ("张", "*"),
        ("", ""),
        ("John Smith", "J*** S****"),
        ("Anne-Marie", "A***-M****"),
    ],
)
def test_a_name_shows_its_ends_only(name: str, shown: str) -> None:
    assert mask_name(name) == shown


def test_a_phone_and_an_identity_number_show_the_agreed_digits() -> None:
    assert mask_phone("13812345678") == "138****5678"
    assert mask_id("110101199001011234") == "110101********1234"


@given(st.text("0123456789X", max_size=17))
def test_an_unexpected_document_number_shows_half_of_itself_at_most(number: str) -> None:
    masked = mask_id(number)
    assert len(masked) == len(number)
    assert masked.count("*") * 2 >= len(number)


@given(st.text("0123456789+", max_size=16))
def test_a_phone_never_shows_more_than_seven_digits_or_half(number: str) -> None:
    masked = mask_phone(number)
    assert len(masked) == len(number)
    assert len(masked) - masked.count("*") <= max(7, len(number) // 2)


@given(st.text("王李张刘陈", min_size=2, max_size=6))
def test_a_name_never_shows_entirely(name: str) -> None:
    assert "*" in mask_name(name)
    assert len(mask_name(name)) == len(name)


@pytest.mark.parametrize(
    ("plate", "shown"),
    [
        ("京A12345", "京A·1**45"),
        ("京AD12345", "京A·D***45"),
        ("使123456", "使1·2**56"),
        ("WJ京0123X", "WJ·京***3X"),
    ],
)
def test_of_a_plate_the_issuer_one_sign_and_the_last_two_are_shown(plate: str, shown: str) -> None:
    assert mask_plate(plate) == shown
    assert write_plate(plate).replace("·", "", 1) == plate
