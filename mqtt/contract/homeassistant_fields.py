"""Fields of the Home Assistant copy: annotation, default and checking reader from msgspec's types."""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec


def annotation(kind: Any) -> str:
    """The Python annotation of a field, from msgspec's description of its type."""
    if isinstance(kind, msgspec.inspect.UnionType):
        return " | ".join(annotation(item) for item in kind.types)
    if isinstance(kind, msgspec.inspect.EnumType):
        return kind.cls.__name__
    if isinstance(kind, msgspec.inspect.VarTupleType):
        return f"tuple[{annotation(kind.item_type)}, ...]"
    names: dict[Any, str] = {
        msgspec.inspect.StrType: "str",
        msgspec.inspect.LiteralType: "str",
        msgspec.inspect.IntType: "int",
        msgspec.inspect.FloatType: "float",
        msgspec.inspect.BoolType: "bool",
        msgspec.inspect.DateTimeType: "datetime",
        msgspec.inspect.NoneType: "None",
    }
    return names[type(kind)]


def _limits(kind: Any) -> list[str]:
    found = []
    if getattr(kind, "pattern", None):
        found.append(f"pattern=r{quoted(kind.pattern)}")
    for name, attributes in (("low", ("ge", "min_length")), ("high", ("le", "max_length"))):
        for attribute in attributes:
            value = getattr(kind, attribute, None)
            if value is not None:
                found.append(f"{name}={value}")
    return found


def quoted(text: str) -> str:
    """A text in double quotes; the contract's texts need no escapes."""
    return '"' + text + '"'


def reader(field: Any, kind: Any) -> str:
    """The expression that reads and checks one field out of ``data``."""
    if isinstance(kind, msgspec.inspect.UnionType):
        inner = next(k for k in kind.types if not isinstance(k, msgspec.inspect.NoneType))
        required = _reader_of(field.name, inner, None)
        return f'None if data.get("{field.name}") is None else {required}'
    default = None if field.required else field.default
    return _reader_of(field.name, kind, default)


def _reader_of(name: str, kind: Any, default: Any) -> str:
    arguments = ["data", f'"{name}"']
    if isinstance(kind, msgspec.inspect.VarTupleType):
        item = [part for part in _limits(kind.item_type) if part.startswith("pattern")]
        return f"read.texts({', '.join([*arguments, *item, *_limits(kind)])})"
    if isinstance(kind, msgspec.inspect.EnumType):
        words = tuple(str(member.value) for member in kind.cls)
        arguments.append(f"words=({', '.join(quoted(w) for w in words)},)")
    elif isinstance(kind, msgspec.inspect.LiteralType):
        words = tuple(str(value) for value in kind.values)
        arguments.append(f"words=({', '.join(quoted(w) for w in words)},)")
    else:
        arguments += _limits(kind)
    if default is not None:
        arguments.append(f"default={literal(default)}")
    functions: dict[Any, str] = {
        msgspec.inspect.StrType: "text",
        msgspec.inspect.LiteralType: "text",
        msgspec.inspect.EnumType: "text",
        msgspec.inspect.IntType: "whole",
        msgspec.inspect.FloatType: "number",
        msgspec.inspect.BoolType: "flag",
        msgspec.inspect.DateTimeType: "moment",
    }
    call = f"read.{functions[type(kind)]}({', '.join(arguments)})"
    return f"{kind.cls.__name__}({call})" if isinstance(kind, msgspec.inspect.EnumType) else call


def literal(value: Any) -> str:
    """A default as it stands in a call: enum members as their text."""
    if isinstance(value, Enum):
        return quoted(str(value.value))
    return quoted(value) if isinstance(value, str) else repr(value)


def default_of(value: Any) -> str:
    """A default as it stands in a dataclass."""
    if isinstance(value, Enum):
        return f"{type(value).__name__}.{value.name}"
    return quoted(value) if isinstance(value, str) else repr(value)
