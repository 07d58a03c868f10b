"""What counts as the same sign, and what does not."""

import pytest

from portal.core.identifiers.typed_text import LONGEST, compact, fold


@pytest.mark.parametrize(
    ("typed", "folded"),
    [
        ("\uff21\uff22\uff10\u3000\uff0d", "AB0 -"),
        ("a\u200bb\ufeff", "AB"),
        ("1\u20132", "1-2"),
        ("\u00b2\u2460", "\u00b2\u2460"),  # superscripts and circled digits are other signs
        ("\u0131\u017f\u00df", "\u0131\u017f\u00df"),  # no ASCII letter appears from elsewhere
        (None, ""),
    ],
)
def test_only_signs_that_mean_the_same_are_folded(typed: str | None, folded: str) -> None:
    assert fold(typed) == folded


def test_a_text_too_long_never_becomes_a_short_one() -> None:
    assert len(compact("1" * 18 + " " * 500 + "2" * 500)) == LONGEST
