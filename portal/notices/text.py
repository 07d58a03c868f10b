"""Texts of notices: cleaned as typed, and shown as a small safe HTML.

Written in Markdown (CommonMark) of paragraphs, headings, lists, quotes, emphasis, rules and links; line
breaks count. Raw HTML and pictures stay text; whatever is made of it passes nh3 once more.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

# Marks that turn the direction of everything after them: one in a title would turn the page's own words.
_BIDI: Final = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
_CONTROLS: Final = dict.fromkeys(
    [c for c in (*range(0x20), *range(0x7F, 0xA0), 0xFEFF, 0xFFFD) if c not in (0x09, 0x0A)]
)
_BLANKS: Final = re.compile(r"\s+")
_TAGS: Final = {
    "a", "blockquote", "br", "code", "em", "h2", "h3", "h4", "hr", "li", "ol", "p", "pre", "strong", "ul",
}  # fmt: skip
_ATTRIBUTES: Final = {"a": {"href"}, "ol": {"start"}}
_SCHEMES: Final = {"http", "https", "mailto", "tel"}
_HEADINGS: Final = {"h1": "h2", "h2": "h3", "h3": "h4", "h4": "h4", "h5": "h4", "h6": "h4"}
_EXCERPT: Final = 80

_markdown = MarkdownIt("commonmark", {"html": False, "breaks": True, "linkify": False}).disable(
    ["image", "html_block", "html_inline"]
)


def one_line(typed: str) -> str:
    """A title or reason: one line, no control marks, NFC, blanks folded."""
    folded = _BLANKS.sub(" ", unicodedata.normalize("NFC", typed))
    return _BLANKS.sub(" ", folded.translate(_BIDI).translate(_CONTROLS)).strip()


def many_lines(typed: str) -> str:
    """A body: line ends as ``\\n``, no control marks, NFC, ends trimmed."""
    plain = typed.replace("\r\n", "\n").replace("\r", "\n")
    return unicodedata.normalize("NFC", plain).translate(_BIDI).translate(_CONTROLS).strip()


def says_something(text: str) -> bool:
    """Whether there is a letter or a digit in it; signs and emoji alone say nothing."""
    return any(c.isalnum() for c in text)


@lru_cache(maxsize=256)
def as_html(body: str) -> Markup:
    """The body as markup that is safe to show. Its headings begin at the second level."""
    tokens = _markdown.parse(body)
    for token in tokens:
        token.tag = _HEADINGS.get(token.tag, token.tag)
    rendered = _markdown.renderer.render(tokens, _markdown.options, {})
    clean = nh3.clean(
        rendered,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(clean)  # noqa: S704 - made of known tags just now


def excerpt(body: str) -> str:
    """The beginning of what the body says, on one line, without marks of Markdown."""
    plain = one_line(as_html(body).striptags())
    return plain if len(plain) <= _EXCERPT else plain[:_EXCERPT].rstrip() + "…"
