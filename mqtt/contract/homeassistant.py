"""The contract's copy inside the Home Assistant integration: standard library only, typed, lint-clean.

Topics are copied as they stand (they use the standard library alone); messages become dataclasses
with a checking reader each; measures become a plain table.
"""

from __future__ import annotations

import inspect

import msgspec

from mqtt.contract import codec, messages, telemetry, topics
from mqtt.contract.homeassistant_fields import annotation, default_of, literal, reader
from mqtt.contract.homeassistant_text import CODEC, ERRORS, READERS
from mqtt.contract.messages import COMMANDS, EVENTS, Command, Event, Message, Result
from mqtt.contract.telemetry import MEASURES, Measure


def _dataclass(kind: type[Message], base: str, inherited: tuple[str, ...]) -> str:
    info = msgspec.inspect.type_info(kind)
    if not isinstance(info, msgspec.inspect.StructType):
        raise TypeError(f"{kind.__name__} is not a message")
    lines = [
        "@dataclass(frozen=True, slots=True, kw_only=True)",
        f"class {kind.__name__}({base}):",
        f'    """{(kind.__doc__ or "").strip()}"""',
        "",
    ]
    if kind.NAME:
        lines += [f'    NAME: ClassVar[str] = "{kind.NAME}"']
    for field in info.fields:
        if field.name not in inherited:
            default = "" if field.required else f" = {default_of(field.default)}"
            lines.append(f"    {field.name}: {annotation(field.type)}{default}")
    lines += [
        "",
        "    @classmethod",
        "    def from_json(cls, data: Mapping[str, object]) -> Self:",
        '        """Checked from a JSON object. Raises ``MessageError``."""',
        "        return cls(",
        *(f"            {field.name}={reader(field, field.type)}," for field in info.fields),
        "        )",
    ]
    return "\n".join(lines)


def _messages() -> str:
    base: tuple[str, ...] = ()
    enums = "\n\n\n".join(
        inspect.getsource(kind).rstrip() for kind in (messages.Direction, messages.Status)
    )
    parts = [
        '''"""The messages, each with a checking reader."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Final, Self

from . import reading as read
from .errors import Fault, MessageError
from .topics import MAX_PAYLOAD_BYTES''',
        enums,
        '''@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What every message shares; ``NAME`` is the last level of its topic."""

    NAME: ClassVar[str] = ""''',
        _dataclass(Event, "Message", base),
        _dataclass(Command, "Message", base),
        *(_dataclass(kind, "Event", ("id", "at")) for kind in EVENTS.values()),
        *(
            _dataclass(kind, "Command", ("transaction", "at", "expires_at"))
            for kind in COMMANDS.values()
        ),
        _dataclass(Result, "Message", base),
    ]
    tables = ["EVENTS: Final[dict[str, type[Event]]] = {"]
    tables += [f'    "{name}": {kind.__name__},' for name, kind in EVENTS.items()]
    tables += ["}", "COMMANDS: Final[dict[str, type[Command]]] = {"]
    tables += [f'    "{name}": {kind.__name__},' for name, kind in COMMANDS.items()]
    tables += ["}", f"RESEND_SECONDS: Final = {messages.RESEND_SECONDS}"]
    return "\n\n\n".join([*parts, "\n".join(tables)]) + "\n" + CODEC


def _measure(measure: Measure, indent: str) -> list[str]:
    return [
        f"{indent}Measure(",
        f"{indent}    component=Component.{measure.component.name},",
        *(
            f"{indent}    {name}={literal(getattr(measure, name))},"
            for name in (
                "name",
                "title",
                "unit",
                "minimum",
                "maximum",
                "device_class",
                "interval_s",
                "diagnostic",
            )
        ),
        f"{indent}),",
    ]


def _measures() -> str:
    kinds = [telemetry.DeviceKind, telemetry.Component, Measure]
    table = ["MEASURES: Final[dict[DeviceKind, tuple[Measure, ...]]] = {"]
    for kind, found in MEASURES.items():
        table.append(f"    DeviceKind.{kind.name}: (")
        for measure in found:
            table += _measure(measure, "        ")
        table.append("    ),")
    table.append("}")
    parser = inspect.getsource(telemetry.parse_scalar).rstrip()
    head = '''"""Scalar telemetry: which objects each kind of device reports, with unit, range and meaning."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from .errors import Fault, MessageError
from .topics import Topic'''
    private = (
        "_BY_KEY: Final[dict[str, Measure]] = "
        "{m.key: m for kind in MEASURES.values() for m in kind}\n"
        '_TRUE: Final = {"ON", "LOCKED"}\n_FALSE: Final = {"OFF", "UNLOCKED"}'
    )
    parts = [head, *(inspect.getsource(kind).rstrip() for kind in kinds)]
    return "\n\n\n".join([*parts, "\n".join(table), private, parser]) + "\n"


def artefacts(notice: str) -> dict[str, bytes]:
    """File name → bytes of every module of the copy, ``notice`` on top of each."""
    errors = ERRORS.format(
        fault=inspect.getsource(codec.Fault).rstrip() + "\n",
        error=inspect.getsource(codec.MessageError),
    )
    modules = {
        "__init__.py": '"""The device contract: topics, messages and measures."""\n',
        "errors.py": errors,
        "measures.py": _measures(),
        "messages.py": _messages(),
        "reading.py": READERS,
        "topics.py": inspect.getsource(topics),
    }
    return {name: f"# {notice}\n{text}".encode() for name, text in modules.items()}
