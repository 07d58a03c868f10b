"""Texts of notices: what is kept of what was typed, and that nothing dangerous comes out."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.notices.text import as_html, excerpt, many_lines, one_line, says_something


def test_the_small_rich_text_is_shown() -> None:
    body = (
        "# 停水\n\n请**储水**：\n\n- 厨房\n- 浴室\n\n1. 先\n\n> 谢谢\n\n[电话](tel:12345)\n第二行"
    )
    shown = as_html(body)
    for part in ("<h2>停水</h2>", "<strong>储水</strong>", "<li>厨房</li>", "<ol>", "<blockquote>"):
        assert part in shown
    assert 'href="tel:12345"' in shown
    assert "noopener" in shown
    assert "<br>" in shown


@pytest.mark.parametrize(
    "typed",
    [
        "<script>alert(1)</script>",
        "<img src=https://x.example/a.png onerror=alert(1)>",
        "![x](https://x.example/a.png)",
        "[x](javascript:alert(1))",
        "[x](data:text/html,<script>)",
        "[x](JaVaScRiPt:alert(1))",
        "<a href='javascript:x'>y</a>",
        "[x](vbscript:y)",
        "<style>*{display:none}</style>",
        "<iframe src=//x></iframe>",
        "```html\n<b onclick=x>\n```",
    ],
)
def test_nothing_that_runs_or_loads_comes_out(typed: str) -> None:
    shown = as_html(typed)
    assert not re.search(r"<(script|img|style|iframe|b|a href='j)", shown)
    assert not re.search(r'(href|src)="(javascript|data|vbscript)', shown, re.I)
    assert not re.search(r"<[^>]*\son\w+=", shown)


@given(st.text())
def test_whatever_is_typed_gives_known_tags_only(typed: str) -> None:
    shown = as_html(many_lines(typed))
    tags = set(re.findall(r"</?([a-z0-9]+)", shown))
    assert tags <= {
        "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre",
        "strong", "ul",
    }  # fmt: skip


@given(st.text())
def test_cleaning_twice_is_cleaning_once(typed: str) -> None:
    assert one_line(one_line(typed)) == one_line(typed)
    assert many_lines(many_lines(typed)) == many_lines(typed)


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  a \n b\t", "a b"),
        ("\u202eabc\u202c", "abc"),
        ("\u2066x\u2069", "x"),
        ("a\x00b\x1b", "ab"),
        ("👨‍👩‍👧 家", "👨‍👩‍👧 家"),
        ("مرحبا", "مرحبا"),
    ],
)
def test_a_title_is_one_line_without_marks_that_turn_others(typed: str, kept: str) -> None:
    assert one_line(typed) == kept


def test_line_ends_are_counted_once() -> None:
    assert many_lines("a\r\nb\rc\n") == "a\nb\nc"


@pytest.mark.parametrize("text", ["😀", "!!!", "", "   ", "—…"])
def test_signs_alone_say_nothing(text: str) -> None:
    assert not says_something(text)


def test_an_excerpt_has_no_marks() -> None:
    assert excerpt("# 停水\n\n请**储水**。") == "停水 请储水。"
    assert len(excerpt("长" * 500)) == 81
