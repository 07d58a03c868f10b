"""Every refusal has a sentence."""

import ast
from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from portal.core.identifiers import (
    Kind,
    Reason,
    check_phone,
    check_plate,
    check_resident_id,
    check_uscc,
    messages,
    phone,
    plate,
    resident_id,
    sentence,
    uscc,
)
from portal.passes.verdict import SENTENCES

SOURCES = {
    Kind.USCC: uscc.__file__,
    Kind.RESIDENT_ID: resident_id.__file__,
    Kind.PLATE: plate.__file__,
    Kind.PHONE: phone.__file__,
}


def reasons_in(source: str) -> set[Reason]:
    tree = ast.parse(Path(source).read_text(encoding="utf-8"))
    return {
        Reason[node.attr]
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "Reason"
    }


@pytest.mark.parametrize("kind", list(Kind))
def test_each_reason_a_checker_gives_has_a_sentence_and_no_other_has(kind: Kind) -> None:
    given = reasons_in(SOURCES[kind])
    assert given == {reason for of, reason in messages.MESSAGES if of is kind}


def test_a_sentence_is_english_outside_an_application() -> None:
    assert sentence(check_uscc("1")) == "A unified social credit code has 18 characters."
    assert sentence(check_phone("")) == "Enter the phone number."


def test_each_sentence_is_there_in_chinese() -> None:
    portal = Path(messages.__file__).parents[2]
    path = portal / "translations" / "zh_Hans_CN" / "LC_MESSAGES" / "messages.po"
    with path.open("rb") as file:
        catalogue = read_po(file, locale="zh_Hans_CN")
    for message in [*messages.MESSAGES.values(), *SENTENCES.values()]:
        entry = catalogue.get(str(message))
        assert entry is not None, message
        assert entry.string, message
        assert entry.string != entry.id


def test_an_accepted_identifier_has_no_sentence() -> None:
    assert sentence(check_plate("京A12345")) == ""
    assert sentence(check_resident_id("11010519491231002X")) == ""
