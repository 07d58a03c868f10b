"""Unified social credit codes: real ones, every single slip, and a second opinion."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc as oracle

from portal.core.identifiers import Kind, Reason, check_uscc, uscc_with_check
from portal.core.identifiers.uscc import ALPHABET, organisation_with_check

REAL = [
    "91110000600037341L",
    "91110000802100433B",
    "91440300708461136T",
    "91110108551385082Q",
    "914403001922038216",
    "91330106673959654P",
]

alphabet = st.sampled_from(ALPHABET)
regions = st.text("0123456789", min_size=6, max_size=6)


@st.composite
def codes(draw: st.DrawFn) -> str:
    body = organisation_with_check(draw(st.text(alphabet, min_size=8, max_size=8)))
    return uscc_with_check(draw(alphabet) + draw(alphabet) + draw(regions) + body)


@pytest.mark.parametrize("code", REAL)
def test_codes_of_existing_companies_are_accepted(code: str) -> None:
    checked = check_uscc(code)
    assert checked.valid
    assert checked.value == code
    assert checked.details["region"] == code[2:8]


@given(codes())
def test_every_built_code_is_accepted_whatever_its_class(code: str) -> None:
    checked = check_uscc(code)
    assert checked.reason is None
    assert checked.details["class"] == code[1]


@given(st.from_regex(rf"[0-9]{{8}}[{ALPHABET}]{{10}}", fullmatch=True))
def test_agrees_with_stdnum_except_on_the_organisation_check(code: str) -> None:
    ours = check_uscc(code)
    assert oracle.is_valid(code) == (ours.valid or ours.reason is Reason.ORGANISATION_CHECK)


@given(st.from_regex(rf"[0-9]{{8}}[{ALPHABET}]{{9}}", fullmatch=True))
def test_check_character_agrees_with_stdnum(first17: str) -> None:
    assert uscc_with_check(first17)[-1] == oracle.calc_check_digit(first17)


@pytest.mark.parametrize("code", REAL)
def test_every_single_wrong_character_is_found(code: str) -> None:
    for place in range(18):
        for other in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ":
            if other != code[place]:
                assert not check_uscc(code[:place] + other + code[place + 1 :]).valid


@given(codes(), st.data())
def test_any_single_wrong_character_of_any_code_is_found(code: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, 17))
    other = data.draw(alphabet.filter(lambda character: character != code[place]))
    assert not check_uscc(code[:place] + other + code[place + 1 :]).valid


@pytest.mark.parametrize(
    "typed",
    [
        " 91110000600037341l ",
        "9111 0000 6000 3734 1L",
        "91110000-600037341-L",
        "\uff19\uff11\uff11\uff11\uff10\uff10\uff10\uff10\uff16\uff10\uff10\uff10\uff13\uff17\uff13\uff14\uff11\uff2c",
        "\u202d91110000600037341L\u202c\u200b",
        "\ufeff91110000\u2013600037341L\n",
    ],
)
def test_what_people_type_is_brought_to_one_form(typed: str) -> None:
    assert check_uscc(typed).value == "91110000600037341L"
    assert check_uscc(typed).valid


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (None, Reason.EMPTY),
        ("", Reason.EMPTY),
        (" \u3000-", Reason.EMPTY),
        ("91110000600037341", Reason.LENGTH),
        ("91110000600037341LL", Reason.LENGTH),
        ("91110000600037341L" + " " * 200 + "X", Reason.LENGTH),
        ("9" * 100_000, Reason.LENGTH),
        ("91110000600O37341L", Reason.ALPHABET),
        ("9111000060003734\u0661L", Reason.ALPHABET),
        ("91110000600037341\u00b2", Reason.ALPHABET),
        ("9111000A600037341L", Reason.REGION),
        ("91110000600037341M", Reason.CHECK_DIGIT),
        (uscc_with_check("91110000600037342"), Reason.ORGANISATION_CHECK),
    ],
)
def test_a_refusal_names_its_reason(typed: str | None, reason: Reason) -> None:
    checked = check_uscc(typed)
    assert (checked.kind, checked.valid, checked.reason) == (Kind.USCC, False, reason)


def test_only_check_characters_may_be_overridden() -> None:
    assert check_uscc("91110000600037341M").overridable
    assert check_uscc(uscc_with_check("91110000600037342")).overridable
    assert not check_uscc("911100006000373").overridable
    assert not check_uscc(REAL[0]).overridable


@given(st.text())
def test_any_text_gets_an_answer(text: str) -> None:
    assert check_uscc(text).kind is Kind.USCC


@pytest.mark.parametrize("first17", ["", "9111000060003734", "9111000060003734I"])
def test_a_code_is_not_built_from_nonsense(first17: str) -> None:
    with pytest.raises(ValueError, match="17 characters"):
        uscc_with_check(first17)
