import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from mqtt.contract import firmware
from mqtt.contract.generate import NOTICE
from mqtt.contract.messages import COMMANDS, EVENTS, RESEND_SECONDS
from mqtt.contract.topics import (
    MAX_PAYLOAD_BYTES,
    ROOT,
    Channel,
    DeviceAddress,
    parse,
    subscription,
)
from mqtt.contract.yaml_text import to_yaml

PROGRAM = r"""
#include <cstdio>
#include "linli_contract.h"
namespace c = linli::contract;

template <typename F> static void line(F write) {
  char out[c::kTopicSize];
  if (write(out, sizeof out) == 0) std::puts("!");
  else std::puts(out);
}

int main() {
  constexpr c::Address gate{"yuhua-3", "gate_1"};
  static_assert(gate.valid());
  static_assert(!c::valid_key("") && !c::valid_key("-a") && !c::valid_key("A") && !c::valid_key("a/b"));
  line([&](char *o, std::size_t n) { return gate.prefix(o, n); });
  line([&](char *o, std::size_t n) { return gate.status(o, n); });
  line([&](char *o, std::size_t n) { return gate.commands(o, n); });
  for (auto kind : c::kEvents) line([&](char *o, std::size_t n) { return gate.event(o, n, kind); });
  for (auto name : c::kCommands) line([&](char *o, std::size_t n) { return gate.command(o, n, name); });
  for (auto name : c::kCommands) line([&](char *o, std::size_t n) { return gate.result(o, n, name); });
  line([&](char *o, std::size_t n) { return gate.state(o, n, c::kMeasureSensorAmbientTemperature.key); });
  std::printf("%zu %u\n", c::kMaxPayloadBytes, c::kResendSeconds);
  char small[20];
  std::printf("%zu [%s]\n", gate.status(small, sizeof small), small);
  std::printf("%zu\n", c::Address{"Bad", "gate"}.prefix(small, sizeof small));
  const auto name = gate.command_of("linli/v1/yuhua-3/gate_1/command/unlock");
  std::printf("%.*s\n", static_cast<int>(name.size()), name.data());
  std::printf("%d%d\n", gate.command_of("linli/v1/yuhua-3/gate_2/command/unlock").empty(),
              gate.command_of("linli/v1/yuhua-3/gate_1/command/explode").empty());
  const std::string_view longest = "abcdefghijklmnopqrstuvwxyz012345";
  const c::Address far{longest, longest};
  for (auto kind : c::kEvents) line([&](char *o, std::size_t n) { return far.event(o, n, kind); });
}
"""


@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_the_header_compiles_without_a_warning_and_builds_the_same_topics(tmp_path: Path) -> None:
    (tmp_path / "linli_contract.h").write_bytes(firmware.header(NOTICE))
    (tmp_path / "topics.cpp").write_text(PROGRAM)
    flags = ["-std=c++17", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-pedantic"]
    sanitizers = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    subprocess.run(
        ["g++", *flags, *sanitizers, "topics.cpp", "-o", "topics"], cwd=tmp_path, check=True
    )
    done = subprocess.run([tmp_path / "topics"], capture_output=True, text=True, check=True)
    gate = DeviceAddress("yuhua-3", "gate_1")
    longest = "abcdefghijklmnopqrstuvwxyz012345"
    far = DeviceAddress(longest, longest)
    assert done.stdout.splitlines() == [
        gate.prefix,
        gate.status,
        subscription(Channel.COMMAND, community="yuhua-3", device="gate_1"),
        *(gate.event(kind) for kind in EVENTS),
        *(gate.command(name) for name in COMMANDS),
        *(gate.result(name) for name in COMMANDS),
        gate.state("sensor", "ambient_temperature"),
        f"{MAX_PAYLOAD_BYTES} {RESEND_SECONDS}",
        "0 []",
        "0",
        "unlock",
        "11",
        *(far.event(kind) for kind in EVENTS),
    ]


def test_the_header_uses_no_heap() -> None:
    text = firmware.header(NOTICE).decode()
    for word in ("std::string ", "malloc", "new ", "std::vector"):
        assert word not in text


def test_the_package_names_every_topic_below_the_devices_prefix() -> None:
    package = yaml.safe_load(to_yaml(firmware.package()))
    values = {"${linli_community}": "c1", "${linli_device}": "gate-1"}
    topics = {}
    for name, text in package["substitutions"].items():
        topics[name] = re.sub(r"\$\{\w+\}", lambda found: values[found[0]], text)
    assert topics["linli_topic_prefix"] == DeviceAddress("c1", "gate-1").prefix
    for kind in EVENTS:
        assert parse(topics[f"linli_event_{kind}_topic"]).name == kind
    for command in COMMANDS:
        assert topics[f"linli_command_{command}_topic"].startswith(f"{ROOT}/c1/gate-1/command/")
    assert package["mqtt"]["will_message"]["payload"] == "offline"
    assert package["mqtt"]["will_message"]["retain"] is True
