"""What a text may mean."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.core.identifiers.names import name_key
from portal.core.search import LONGEST, Door, Key, Part, Query, query_of

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def meant(typed: str) -> Query:
    query = query_of(typed, NOW)
    assert query is not None
    return query


@pytest.mark.parametrize(
    ("typed", "keys"),
    [
        ("13800001234", (Key.PHONE,)),
        ("+86 138-0000-1234", (Key.PHONE,)),
        ("１３８００００１２３４", (Key.PHONE,)),
        ("110101199003070011", (Key.DOCUMENT,)),
        ("110101199003070012", ()),
        ("E12345678", (Key.DOCUMENT,)),
        ("x1y2345z6", (Key.DOCUMENT,)),
        ("12345678", (Key.DOCUMENT,)),
        ("dev-0-7", ()),
        ("h 1234567890", (Key.DOCUMENT,)),
        ("京A12345", (Key.PLATE,)),
        ("京a·12345", (Key.PLATE,)),
        ("张伟", (Key.NAME,)),
        ("John Smith", (Key.NAME,)),
        ("张", ()),
        ("alarm-1", ()),
        ("1号楼2单元301", ()),
    ],
)
def test_a_whole_identifier_is_known_by_its_shape(typed: str, keys: tuple[Key, ...]) -> None:
    assert meant(typed).keys == keys


@pytest.mark.parametrize(
    ("typed", "part"),
    [
        ("1380000", Part.PHONE),
        ("13800001", Part.PHONE),
        ("11010519900307", Part.DOCUMENT),
        ("京A12", Part.PLATE),
        ("a12345", Part.PLATE),
        ("door-1", None),
        ("张", Part.SURNAME),
        ("13800001234", None),
        ("1-2-301", None),
        ("301", None),
        ("alarm-1", None),
    ],
)
def test_a_part_of_an_identifier_is_known_as_such(typed: str, part: Part | None) -> None:
    assert meant(typed).part == part


@pytest.mark.parametrize(
    ("typed", "door"),
    [
        ("1号楼2单元301", Door("1", "2", "301")),
        ("1号楼 2单元 301", Door("1", "2", "301")),
        ("１号楼２单元３０１室", Door("1", "2", "301")),
        ("1-2-301", Door("1", "2", "301")),
        ("1 2 301", Door("1", "2", "301")),
        ("1/2/301", Door("1", "2", "301")),
        ("1栋301", Door("1", None, "301")),
        ("1-301", Door("1", None, "301")),
        ("a座1201", Door("A", None, "1201")),
        ("301", Door(None, None, "301")),
        ("301室", Door(None, None, "301")),
        ("1号楼", Door("1", None, None)),
        ("1号楼2单元", Door("1", "2", None)),
        ("13800001234", None),
        ("楼", None),
        ("张伟", None),
    ],
)
def test_labels_of_dwellings_are_read_as_people_write_them(typed: str, door: Door | None) -> None:
    assert meant(typed).door == door


@pytest.mark.parametrize("typed", ["", "   ", "\u3000", "\x00\n\t"])
def test_nothing_is_no_search(typed: str) -> None:
    assert query_of(typed, NOW) is None


@given(st.text(max_size=300))
def test_whatever_is_typed_is_bounded_and_breaks_nothing(typed: str) -> None:
    query = query_of(typed, NOW)
    if query is not None:
        assert 0 < len(query.text) <= LONGEST
        assert query.text.isprintable()
        assert isinstance(query.part, Part | None)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("欧阳 小明", "欧阳小明"),
        ("John  Smith", "john smith"),
        ("阿卜杜拉·买买提", "阿卜杜拉•买买提"),
        ("Ｊohn Smith", "John Smith"),
    ],
)
def test_ways_to_write_one_name_have_one_key(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)
