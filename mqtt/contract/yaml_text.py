"""Writes plain data as block YAML 1.2: the generated documents need no YAML library.

Strings that are not plain words are written as JSON strings, which YAML reads as they are.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

_PLAIN: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_RESERVED: Final = {"true", "false", "null", "yes", "no", "on", "off", "y", "n", "nan", "inf"}


def _scalar(value: str | int | float | bool | None) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _RESERVED:
        return str(value)
    return json.dumps(value, ensure_ascii=False)


def _lines(value: Any, indent: int) -> list[str]:
    pad = "  " * indent
    if isinstance(value, dict):
        lines = []
        for key, item in value.items():
            if isinstance(item, dict | list | tuple) and item:
                lines += [f"{pad}{_scalar(key)}:", *_lines(item, indent + 1)]
            else:
                lines.append(f"{pad}{_scalar(key)}: {_leaf(item)}")
        return lines
    lines = []
    for item in value:
        if isinstance(item, dict | list | tuple) and item:
            first, *rest = _lines(item, indent + 1)
            lines += [f"{pad}- {first.strip()}", *rest]
        else:
            lines.append(f"{pad}- {_leaf(item)}")
    return lines


def _leaf(value: Any) -> str:
    if isinstance(value, dict):
        return "{}"
    if isinstance(value, list | tuple):
        return "[]"
    return _scalar(value)


def to_yaml(document: dict[str, Any], comment: str = "") -> bytes:
    """A document as UTF-8 YAML, with ``comment`` lines on top."""
    head = [f"# {line}".rstrip() for line in comment.splitlines()]
    return ("\n".join([*head, *_lines(document, 0)]) + "\n").encode()
