"""Codes say level, kind and parent, or why they are none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.regions.codes import (
    DEPTH,
    SENTENCES,
    CodeError,
    CodeFault,
    Kind,
    below,
    parse,
    rebased,
    variants,
)
from portal.regions.models import Level


@pytest.mark.parametrize(
    ("typed", "text", "level", "parent", "kind"),
    [
        ("11", "110000000000", Level.PROVINCE, None, None),
        ("1101", "110100000000", Level.PREFECTURE, "110000000000", None),
        ("110105", "110105000000", Level.COUNTY, "110100000000", None),
        ("110105001", "110105001000", Level.TOWNSHIP, "110105000000", Kind.STREET),
        ("110105100000", "110105100000", Level.TOWNSHIP, "110105000000", Kind.TOWN),
        ("110105399000", "110105399000", Level.TOWNSHIP, "110105000000", Kind.TOWNSHIP),
        ("110105400000", "110105400000", Level.TOWNSHIP, "110105000000", Kind.SIMILAR),
        ("110105001199", "110105001199", Level.COMMUNITY, "110105001000", Kind.RESIDENTS),
        ("110105001200", "110105001200", Level.COMMUNITY, "110105001000", Kind.VILLAGERS),
        ("110105001498", "110105001498", Level.COMMUNITY, "110105001000", Kind.SIMILAR),
        ("11010500119901", "11010500119901", Level.GRID, "110105001199", None),
        ("１１０１０５ 001 199", "110105001199", Level.COMMUNITY, "110105001000", Kind.RESIDENTS),
        # A prefecture without counties: Dongguan and its towns.
        ("441900003000", "441900003000", Level.TOWNSHIP, "441900000000", Kind.STREET),
    ],
)
def test_a_code_says_level_parent_and_kind(typed, text, level, parent, kind):
    code = parse(typed)
    assert (code.text, code.level, code.parent, code.kind) == (text, level, parent, kind)


@pytest.mark.parametrize(
    ("typed", "fault"),
    [
        ("", CodeFault.EMPTY),
        (None, CodeFault.EMPTY),
        ("1.10105E+11", CodeFault.DIGITS),
        ("=110105", CodeFault.DIGITS),
        ("²²", CodeFault.DIGITS),
        ("1101050", CodeFault.LENGTH),
        ("1" * 500, CodeFault.LENGTH),
        ("01", CodeFault.PROVINCE),
        ("110005", CodeFault.GAP),
        ("110105000001", CodeFault.GAP),
        ("110105600000", CodeFault.TOWNSHIP),
        ("110105001600", CodeFault.COMMUNITY),
        ("11010500119900", CodeFault.GRID),
        ("11010500100001", CodeFault.GRID),
    ],
)
def test_nonsense_is_refused_with_its_reason(typed, fault):
    with pytest.raises(CodeError) as raised:
        parse(typed)
    assert raised.value.fault is fault


def test_every_fault_has_a_sentence():
    assert set(SENTENCES) == set(CodeFault)


two = st.integers(10, 99).map(str)
codes = st.builds(
    "".join,
    st.tuples(
        two,
        two,
        two,
        st.integers(1, 599).map("{:03}".format),
        st.integers(1, 599).map("{:03}".format),
    ),
)


@given(codes)
def test_every_code_has_a_chain_of_parents_up_to_its_province(text):
    code = parse(text)
    seen = [code.level]
    while code.parent is not None:
        assert text.startswith(parse(code.parent).significant)
        code = parse(code.parent)
        seen.append(code.level)
    assert seen == [
        Level.COMMUNITY,
        Level.TOWNSHIP,
        Level.COUNTY,
        Level.PREFECTURE,
        Level.PROVINCE,
    ]


@given(st.text(max_size=80))
def test_whatever_is_typed_is_a_code_or_a_code_error(text):
    try:
        code = parse(text)
    except CodeError:
        return
    assert parse(code.text) == code
    assert parse(code.significant) == code
    assert code.text in variants(text)
    if code.parent is not None:
        assert DEPTH[parse(code.parent).level] < DEPTH[code.level]


@given(codes, codes, st.sets(st.integers(1, 599), max_size=30))
def test_a_new_number_is_of_the_same_kind_and_free(child, other, used):
    code, parent = parse(child), parse(parse(other).parent)
    taken = {f"{parent.significant}{n:03}" for n in used}
    given = below(code, parent, taken)
    assert given is not None
    assert given not in taken
    new = parse(given)
    assert (new.level, new.kind, new.parent) == (code.level, code.kind, parent.text)
    if f"{parent.significant}{code.number:03}" not in taken:
        assert new.number == code.number


def test_when_every_number_of_the_kind_is_taken_there_is_none():
    parent = parse("990101002000")
    taken = {f"990101002{n:03}" for n in range(1, 200)}
    assert below(parse("990101001005"), parent, taken) is None
    assert below(parse("990101001205"), parent, taken) == "990101002205"


def test_a_township_moves_under_a_prefecture_without_counties():
    assert below(parse("990101001000"), parse("990200000000"), ()) == "990200001000"


def test_what_lies_below_follows_a_new_number():
    old, new = parse("990101001000"), parse("990101002000")
    assert rebased("99010100100112", old, new) == "99010100200112"
