"""What firmware needs of the contract: a C++17 header without heap, and an ESPHome package.

The header holds names, limits and formatting functions that write into the caller's buffer. The
package holds substitutions for every topic and the MQTT block with birth and will messages.
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, Final

import msgspec

from mqtt.contract.delivery import ANSWERED, DELIVERY
from mqtt.contract.messages import COMMANDS, EVENTS, RESEND_SECONDS, Message, Result, Status
from mqtt.contract.telemetry import MEASURES, Measure
from mqtt.contract.topics import MAX_PAYLOAD_BYTES, ROOT, Channel

_KEY_MAX: Final = 32

_FUNCTIONS: Final = r"""
/// Whether `key` is a valid community or device key: a-z 0-9 first, then also _ and -, at most 32.
constexpr bool valid_key(std::string_view key) {
  if (key.empty() || key.size() > kMaxKey) return false;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char c = key[i];
    const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
    if (!word && (i == 0 || (c != '_' && c != '-'))) return false;
  }
  return true;
}

/// Writes the parts one after another and a final NUL. Returns the length, or 0 when it does not fit.
inline std::size_t join(char *out, std::size_t size, const std::string_view *parts, std::size_t count) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (parts[i].size() >= size - length) {
      if (size > 0) out[0] = '\0';
      return 0;
    }
    for (const char c : parts[i]) out[length++] = c;
  }
  if (length >= size) return 0;
  out[length] = '\0';
  return length;
}

/// One device's topics. The keys are borrowed and must outlive the address.
struct Address {
  std::string_view community;
  std::string_view device;

  constexpr bool valid() const { return valid_key(community) && valid_key(device); }

  /// `linli/v1/{community}/{device}`; 0 when a key is not valid or the buffer is too small.
  std::size_t prefix(char *out, std::size_t size) const { return topic(out, size, {}, {}, {}); }
  std::size_t status(char *out, std::size_t size) const { return topic(out, size, "/status", {}, {}); }
  std::size_t event(char *out, std::size_t size, std::string_view kind) const {
    return topic(out, size, "/event/", kind, {});
  }
  std::size_t command(char *out, std::size_t size, std::string_view name) const {
    return topic(out, size, "/command/", name, {});
  }
  std::size_t result(char *out, std::size_t size, std::string_view name) const {
    return topic(out, size, "/result/", name, {});
  }
  /// `key` is a measure's `component/object`.
  std::size_t state(char *out, std::size_t size, std::string_view key) const {
    return topic(out, size, "/", key, "/state");
  }
  /// The filter for all of this device's commands.
  std::size_t commands(char *out, std::size_t size) const { return topic(out, size, "/command/+", {}, {}); }

  /// The command's name if `text` is a command topic of this device, else empty.
  std::string_view command_of(std::string_view text) const {
    for (const std::string_view part : {kRoot, std::string_view("/"), community, std::string_view("/"), device,
                                        std::string_view("/command/")}) {
      if (text.substr(0, part.size()) != part) return {};
      text.remove_prefix(part.size());
    }
    for (const std::string_view known : kCommands) {
      if (text == known) return known;
    }
    return {};
  }

 private:
  std::size_t topic(char *out, std::size_t size, std::string_view a, std::string_view b, std::string_view c) const {
    if (!valid()) {
      if (size > 0) out[0] = '\0';
      return 0;
    }
    const std::string_view parts[] = {kRoot, "/", community, "/", device, a, b, c};
    return join(out, size, parts, sizeof(parts) / sizeof(parts[0]));
  }
};
"""


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in re.split(r"[_/-]", name) if part)


def _number(value: float) -> str:
    text = repr(float(value))
    return f"{text}f" if "e" in text or "." in text else f"{text}.0f"


def _names(prefix: str, names: list[str]) -> list[str]:
    return [
        f'inline constexpr std::string_view k{prefix}{_camel(name)} = "{name}";' for name in names
    ]


def _list(name: str, prefix: str, names: list[str]) -> list[str]:
    members = [f"    k{prefix}{_camel(item)}," for item in names]
    return [f"inline constexpr std::string_view {name}[] = {{", *members, "};"]


def _field_limits(kind: type[Message]) -> list[str]:
    """Longest text and smallest and largest number of each field, as constants."""
    info = msgspec.inspect.type_info(kind)
    lines = []
    if not isinstance(info, msgspec.inspect.StructType):
        raise TypeError(f"{kind.__name__} is not a message")
    for field in info.fields:
        types: tuple[Any, ...] = getattr(field.type, "types", (field.type,))
        for found in types:
            name = f"k{kind.__name__}{_camel(field.name)}"
            if getattr(found, "max_length", None) is not None:
                lines.append(f"inline constexpr std::size_t {name}Max = {found.max_length};")
            if getattr(found, "ge", None) is not None:
                lines.append(f"inline constexpr float {name}Low = {_number(found.ge)};")
            if getattr(found, "le", None) is not None:
                lines.append(f"inline constexpr float {name}High = {_number(found.le)};")
    return lines


def _words(kind: type[Message]) -> list[str]:
    """The allowed words of each field that has a fixed list."""
    info = msgspec.inspect.type_info(kind)
    lines = []
    if not isinstance(info, msgspec.inspect.StructType):
        raise TypeError(f"{kind.__name__} is not a message")
    for field in info.fields:
        if isinstance(field.type, msgspec.inspect.LiteralType):
            values = [str(value) for value in field.type.values]
        elif isinstance(field.type, msgspec.inspect.EnumType) and issubclass(field.type.cls, Enum):
            values = [str(member.value) for member in field.type.cls]
        else:
            continue
        prefix = f"{kind.__name__}{_camel(field.name)}"
        lines += _names(prefix, values)
    return lines


def _fields(kinds: list[type[Message]]) -> list[str]:
    return sorted({name for kind in kinds for name in kind.__struct_fields__})


def _measures() -> dict[str, Measure]:
    found = {m.key: m for measures in MEASURES.values() for m in measures}
    return dict(sorted(found.items()))


def _measure_lines() -> list[str]:
    lines = ["struct Measure {", "  std::string_view key;", "  float low;", "  float high;"]
    lines += ["  unsigned interval_s;", "};"]
    for key, measure in _measures().items():
        low, high = _number(measure.minimum), _number(measure.maximum)
        lines.append(
            f"inline constexpr Measure kMeasure{_camel(key)}"
            f'{{"{key}", {low}, {high}, {measure.interval_s}u}};'
        )
    return lines


def header(notice: str) -> bytes:
    """``linli_contract.h``."""
    kinds: list[type[Message]] = [*EVENTS.values(), *COMMANDS.values(), Result]
    topic_tail = max(
        len(f"/{channel}/{name}")
        for channel, names in ((Channel.EVENT, EVENTS), (Channel.COMMAND, COMMANDS))
        for name in names
    )
    longest = max(topic_tail, *(len(f"/{key}/state") for key in _measures()))
    lines = [
        f"// {notice}",
        "// Topics, names and limits of the device contract; no heap, no exceptions.",
        "#pragma once",
        "",
        "#include <cstddef>",
        "#include <initializer_list>",
        "#include <string_view>",
        "",
        "namespace linli::contract {",
        "",
        f'inline constexpr std::string_view kRoot = "{ROOT}";',
        f"inline constexpr std::size_t kMaxKey = {_KEY_MAX};",
        f"inline constexpr std::size_t kMaxPayloadBytes = {MAX_PAYLOAD_BYTES};",
        f"inline constexpr unsigned kResendSeconds = {RESEND_SECONDS};",
        "/// Room for the longest topic of the contract and its final NUL.",
        f"inline constexpr std::size_t kTopicSize = {len(ROOT) + 2 + 2 * _KEY_MAX + longest + 1};",
        *(f'inline constexpr std::string_view k{_camel(s)} = "{s}";' for s in Status),
        "",
        "// Event kinds, command names.",
        *_names("Event", list(EVENTS)),
        *_names("Command", list(COMMANDS)),
        *_list("kEvents", "Event", list(EVENTS)),
        *_list("kCommands", "Command", list(COMMANDS)),
        "",
        "// Fields of the JSON payloads.",
        *_names("Field", _fields(kinds)),
        "",
        "// Words and limits of those fields.",
        *(line for kind in kinds for line in [*_words(kind), *_field_limits(kind)]),
        "",
        "// Telemetry: the key is `component/object`.",
        *_measure_lines(),
        _FUNCTIONS,
        "}  // namespace linli::contract",
    ]
    return ("\n".join(lines) + "\n").encode()


def package() -> dict[str, Any]:
    """The ESPHome package: the including file sets ``linli_community`` and ``linli_device``."""
    prefix = f"{ROOT}/${{linli_community}}/${{linli_device}}"
    status = DELIVERY[Channel.STATUS]
    substitutions = {"linli_topic_prefix": prefix}
    substitutions |= {f"linli_event_{name}_topic": f"{prefix}/event/{name}" for name in EVENTS}
    substitutions |= {f"linli_command_{n}_topic": f"{prefix}/command/{n}" for n in COMMANDS}
    substitutions |= {f"linli_result_{n}_topic": f"{prefix}/result/{n}" for n in ANSWERED}
    substitutions["linli_resend_seconds"] = str(RESEND_SECONDS)

    def said(word: Status) -> dict[str, Any]:
        return {
            "topic": "${linli_topic_prefix}/status",
            "payload": word.value,
            "qos": status.qos,
            "retain": status.retain,
        }

    return {
        "substitutions": substitutions,
        "mqtt": {
            "topic_prefix": "${linli_topic_prefix}",
            "discovery": False,
            "birth_message": said(Status.ONLINE),
            "will_message": said(Status.OFFLINE),
            "shutdown_message": said(Status.OFFLINE),
        },
    }
