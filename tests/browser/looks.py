"""What is looked at on every page: width, access for everybody (axe-core), and the language of its words."""

import re
from collections.abc import Iterable
from typing import Any

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
_AXE = "rules => axe.run({runOnly: {type: 'tag', values: rules}, resultTypes: ['violations']})"
# What reaches over the right edge although nothing scrolls it into view.
_WIDE = """() => {
  const page = document.documentElement;
  return page.scrollWidth <= page.clientWidth ? "" : `${page.scrollWidth} of ${page.clientWidth} px: ` +
    [...document.querySelectorAll("body *")]
      .filter((e) => e.getBoundingClientRect().right > page.clientWidth + 1)
      .map((e) => e.tagName.toLowerCase() + "." + e.className).slice(0, 4).join(", ");
}"""
# Words as a person or a screen reader gets them, with the language that each is marked as.
_WORDS = """() => {
  const found = [[document.title, document.documentElement.lang]];
  const add = (element, text) => text && text.trim() &&
    found.push([text.trim(), element.closest("[lang]").lang]);
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT | NodeFilter.SHOW_ELEMENT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    if (node.nodeType === Node.TEXT_NODE) {
      if (!node.parentElement.closest("script, style, noscript")) add(node.parentElement, node.data);
      continue;
    }
    for (const name of ["aria-label", "title", "alt", "placeholder", "data-label"])
      add(node, node.getAttribute(name));
    if (node.matches("textarea")) add(node, node.value);
  }
  return found;
}"""

_HAN = re.compile(r"[\u3400-\u9fff][\u3400-\u9fff\u3000-\u303f\uff00-\uffef]*")
_MASKED = re.compile(r"[\u3400-\u9fff]\*+[\u3400-\u9fff]?")
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]{2,}")
_NO_WORDS = re.compile(
    r"https?(?:://\S+|\b)|\btel:\S+|\b[a-z]+(?:-[a-z0-9]+)+\b|\b[0-9A-Z]{18}\b|[0-9a-f-]{16,}"
    r"|\{[a-z]+(?::\d)?\}"
)
"""Addresses, names of devices on the network, codes, request numbers, places in a pattern."""
_KNOWN = {
    *(
        "Linli",
        "CSV",
        "GBK",
        "HTML",
        "JPEG",
        "PDF",
        "PNG",
        "UTC",
        "UTF-",
        "WebP",
        "Wi-Fi",
        "XLSX",
        "dBm",
    )
}
"""Names and units that Chinese pages write in Latin letters."""


_MAIN = re.compile(r"<main.*</main>", re.DOTALL)
_SECRETS = re.compile(r'value="[^"]{40,}"')
"""Tokens of forms."""

# Every kind of element there is, with its classes, role and the names of its attributes.
_BLOCKS = """() => [...new Set([...document.querySelectorAll("body *")].map((e) => [
  e.closest("main") ? "main" : "frame", e.tagName, e.getAttribute("class"), e.getAttribute("role"),
  e.getAttributeNames().sort()].join(" ")))]"""


def building_blocks(page: Page) -> set[str]:
    """What a page is made of, without its words and without how often each part occurs.

    What lies around ``main`` begins with ``frame``: it is the same on all pages of one person.
    """
    return set(page.evaluate(_BLOCKS))


def content(html: str) -> str:
    """What a page says in its ``main``, without what is different each time."""
    found = _MAIN.search(html)
    return _SECRETS.sub("", found[0] if found else html)


def too_wide(page: Page) -> list[str]:
    """Whether the page scrolls sideways, and what sticks out."""
    said: str = page.evaluate(_WIDE)
    return [f"scrolls sideways, {said}"] if said else []


def barriers(page: Page) -> list[str]:
    """Violations of WCAG 2.2 A and AA that axe-core finds."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    found: dict[str, Any] = page.evaluate(_AXE, RULES)
    return [
        f"{v['id']}: {node['target']} {node['html'][:120]} – {node['failureSummary'][-160:]}"
        for v in found["violations"]
        for node in v["nodes"][:3]
    ]


def untranslated(page: Page, language: str, names: Iterable[str]) -> list[str]:
    """Words of the other language, unless they are marked as such or are names."""
    own = "en" if language == "en" else "zh"
    words = [text for text, lang in page.evaluate(_WORDS) if lang.startswith(own)]
    if language == "en":
        return [f"Chinese: {t!r}" for t in words if _HAN.search(_without(t, names))]
    return [
        f"English: {text!r}"
        for text in words
        if any(word not in _KNOWN for word in _WORD.findall(_NO_WORDS.sub(" ", text)))
    ]


def _without(text: str, names: Iterable[str]) -> str:
    text = _MASKED.sub("", text)
    for name in names:
        text = text.replace(name, "")
    return text
