"""Finds words for people that nobody can translate: `python -m provisioning.literals`.

In templates: text between tags, and the attributes that people read or hear, must come from ``_()`` or
``{% trans %}``. So must words inside expressions: ``{{ "Open" if x }}``, ``ui.chip("Open")``. Exempt is what
says itself which language it is in (an element with a literal ``lang``, as on the bilingual poster), what is
not for translation (``translate="no"``, scripts, a block named ``…_class``), and signs of units.

In code: the sentence of a ``DomainError`` and its kin, of ``flash``, the label of a form field, and the
keywords ``message`` and ``label`` of calls must not be plain literals.

Each fault is a sentence with file and line; exit code 1 when there is one.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Final

from jinja2 import Environment, nodes
from jinja2.ext import InternationalizationExtension

SOURCE: Final = Path(__file__).resolve().parents[1] / "portal"

_TRANSLATORS: Final = frozenset({"_", "gettext", "ngettext", "pgettext", "npgettext", "lazy"})
_SPOKEN: Final = frozenset(
    {"title", "alt", "placeholder", "aria-label", "aria-description", "label"}
)
_VOID: Final = frozenset(
    {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
)
_UNITS: Final = frozenset({"°C", "ms"})
# A word as people write it: any run of letters of any script.
_WORD: Final = re.compile(r"°?[^\W\d_]+")
# Inside expressions most strings are names; these look like words for people.
_SENTENCE: Final = re.compile(r"[A-Z][a-z']+(?:[ .,:!?…–-].*)?|.*[\u4e00-\u9fff].*", re.DOTALL)
_MARK: Final = "\ue000"  # stands for one expression while the HTML is read
_CHOSEN_TAG: Final = re.compile(f"(</?){_MARK}\\d+{_MARK}")  # <{{ "a" if href else "div" }}>


def template_faults(text: str, name: str) -> list[str]:
    """What one template says without translation."""
    environment = Environment(extensions=[InternationalizationExtension])  # noqa: S701 - it is only read
    html, expressions = _html(environment, text)
    reader = _Reader()
    reader.feed(html)
    reader.close()
    found = [(line, words) for line, words in reader.said if _words(words)]
    for line, index in reader.shown:
        for words in _shown(_parsed(environment, expressions[index])):
            if _words(words):
                found.append((line, words))
    tree = environment.parse(text)
    told = {words for _line, words in found}
    for constant in _constants(tree):
        if _SENTENCE.fullmatch(constant.value) and constant.value not in told:
            found.append((constant.lineno, constant.value))
    return [f"{name}:{line}: not translated: {_short(words)!r}" for line, words in sorted(found)]


def code_faults(text: str, name: str) -> list[str]:
    """Which sentences for people a module says without translation."""
    faults = []
    for node in ast.walk(ast.parse(text)):
        if not isinstance(node, ast.Call):
            continue
        called = _called(node)
        field = called.endswith("Field")
        spoken = {"message", "label", "description"} if field else {"message", "label"}
        given: list[ast.expr] = [k.value for k in node.keywords if k.arg in spoken]
        if field or called == "flash":
            given += node.args[:1]
        elif called.endswith("Error") and len(node.args) > 1 and called != "ConfigError":
            given += node.args[1:2]
        for value in given:
            words = _literal(value)
            if _SENTENCE.fullmatch(words):
                faults.append(f"{name}:{value.lineno}: not translated: {_short(words)!r}")
    return faults


def faults(source: Path = SOURCE) -> list[str]:
    """All faults of the portal's templates and of the code that answers people."""
    found: list[str] = []
    for path in sorted(source.glob("**/templates/**/*.html")):
        name = str(path.relative_to(source.parent))
        found += template_faults(path.read_text("utf-8"), name)
    for path in sorted(source.glob("**/*.py")):
        relative = path.relative_to(source)
        if relative.parts[0] in {"migrations", "demo", "doctor", "supervisor", "worker"}:
            continue  # they speak to operators, in the log and on the terminal
        if relative.name.startswith("cli"):
            continue
        found += code_faults(path.read_text("utf-8"), str(path.relative_to(source.parent)))
    return found


# --- templates -------------------------------------------------------------------------------


def _html(environment: Environment, text: str) -> tuple[str, list[str]]:
    """The template without its tags: each expression is a mark with its number, lines stay in place."""
    out: list[str] = []
    expressions: list[str] = []
    inside: list[str] = []
    blocks: list[str] = []
    translated = False
    for _line, kind, value in environment.lex(text):
        if kind == "variable_begin":
            inside = []
        elif kind == "variable_end":
            out.append(f"{_MARK}{len(expressions)}{_MARK}")
            expressions.append("".join(inside))
            out.append("\n" * "".join(inside).count("\n"))
        elif kind == "block_begin":
            inside = []
        elif kind == "block_end":
            words = "".join(inside).split()
            if words and words[0] in {"trans", "endtrans"}:
                translated = words[0] == "trans"
            elif words and words[0] == "block":
                blocks.append(words[1])
            elif words and words[0] == "endblock":
                blocks.pop()
            out.append("\n" * "".join(inside).count("\n"))
        elif kind == "data":
            silent = translated or (blocks and blocks[-1].endswith("_class"))
            out.append("\n" * value.count("\n") if silent else value)
        elif kind in {"comment", "raw_begin", "raw_end"}:
            out.append("\n" * value.count("\n"))
        else:
            inside.append(value)
    return _CHOSEN_TAG.sub(r"\1x-chosen", "".join(out)), expressions


class _Reader(HTMLParser):
    """Collects what people read: text, and the attributes that are read out."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.said: list[tuple[int, str]] = []
        self.shown: list[tuple[int, int]] = []
        self._open: list[tuple[str, bool]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        held = dict(attrs)
        lang = held.get("lang")
        exempt = (
            tag in {"script", "style"}
            or held.get("translate") == "no"
            or (tag != "html" and bool(lang) and _MARK not in str(lang))
        )
        if not (exempt or self._exempt()):
            for name, value in attrs:
                if name in _SPOKEN and value and not (name == "label" and tag == "track"):
                    self._take(value)
        if tag not in _VOID:
            self._open.append((tag, exempt))

    def handle_endtag(self, tag: str) -> None:
        # Branches of a template may close what another opened: go back to the nearest of that name.
        for index in range(len(self._open) - 1, -1, -1):
            if self._open[index][0] == tag:
                del self._open[index:]
                return

    def handle_data(self, data: str) -> None:
        if not self._exempt():
            self._take(data)

    def _exempt(self) -> bool:
        return any(exempt for _tag, exempt in self._open)

    def _take(self, text: str) -> None:
        line = self.getpos()[0]
        for index, part in enumerate(text.split(_MARK)):
            if index % 2:
                self.shown.append((line, int(part)))
            elif part.strip():
                before = len(part) - len(part.lstrip("\n"))
                self.said.append((line + before, part.strip()))
            line += part.count("\n")


def _parsed(environment: Environment, expression: str) -> nodes.Node:
    return environment.parse("{{ " + expression.strip() + " }}")


def _shown(node: nodes.Node) -> Iterator[str]:
    """Strings that an expression puts on the page as they are: not arguments, not keys, not tests."""
    if isinstance(node, nodes.Const):
        if isinstance(node.value, str):
            yield node.value
    elif isinstance(node, nodes.CondExpr):
        yield from _shown(node.expr1)
        if node.expr2 is not None:
            yield from _shown(node.expr2)
    elif isinstance(node, nodes.Filter):
        if node.node is not None:
            yield from _shown(node.node)
        if node.name in {"default", "d"}:
            for argument in node.args:
                yield from _shown(argument)
    elif isinstance(node, (nodes.Call, nodes.Compare, nodes.Getitem, nodes.Getattr, nodes.Dict)):
        return
    else:
        for child in node.iter_child_nodes():
            yield from _shown(child)


def _constants(node: nodes.Node) -> Iterator[nodes.Const]:
    """String constants anywhere but inside a call that translates, a comparison or the name of a template."""
    called = node.node if isinstance(node, nodes.Call) else None
    if isinstance(called, nodes.Name) and called.name in _TRANSLATORS:
        return
    if isinstance(
        node, (nodes.Compare, nodes.Import, nodes.FromImport, nodes.Include, nodes.Extends)
    ):
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node
    for child in node.iter_child_nodes():
        yield from _constants(child)


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text) if word not in _UNITS]


# --- code ------------------------------------------------------------------------------------


def _called(node: ast.Call) -> str:
    if isinstance(node.func, ast.Name):
        return node.func.id
    return node.func.attr if isinstance(node.func, ast.Attribute) else ""


def _literal(node: ast.expr) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(_literal(part) for part in node.values)
    return ""


def _short(words: str) -> str:
    words = " ".join(words.split())
    return words if len(words) <= 60 else words[:57] + "…"


def main() -> int:
    """Print the faults; the exit code."""
    found = faults()
    for fault in found:
        sys.stderr.write(f"{fault}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
