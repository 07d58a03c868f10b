import json
from pathlib import Path

from click.testing import CliRunner

from mqtt.contract.codec import encode
from mqtt.contract.examples import EVENT_EXAMPLES
from mqtt.contract.messages import EVENTS
from mqtt.contract.topics import MAX_PAYLOAD_BYTES, DeviceAddress
from portal.cli_contract import contract

SCAN = DeviceAddress("c1", "gate-1").event("scan")


def test_generate_fills_a_place_and_check_notices_an_edit(tmp_path: Path) -> None:
    run = CliRunner()
    place = ["--root", str(tmp_path)]
    assert run.invoke(contract, ["generate", "--check", *place]).exit_code == 1
    assert run.invoke(contract, ["generate", *place]).exit_code == 0
    assert run.invoke(contract, ["generate", "--check", *place]).exit_code == 0
    header = tmp_path / "firmware/generated/linli_contract.h"
    header.write_text("edited")
    answer = run.invoke(contract, ["generate", "--check", *place])
    assert answer.exit_code == 1
    assert answer.stdout.splitlines() == ["firmware/generated/linli_contract.h"]


def test_show_names_every_event_in_table_and_json() -> None:
    table = CliRunner().invoke(contract, ["show"]).output
    rows = json.loads(CliRunner().invoke(contract, ["show", "--json"]).output)["topics"]
    for kind in EVENTS:
        assert f"event/{kind}" in table
        assert f"event/{kind}" in {row["topic"] for row in rows}


def test_validate_allows_an_example_and_refuses_it_when_freshness_counts() -> None:
    payload = encode(EVENT_EXAMPLES["scan"])
    run = CliRunner()
    assert run.invoke(contract, ["validate", SCAN, "-"], input=payload).exit_code == 0
    stale = run.invoke(contract, ["validate", SCAN, "-", "--fresh", "--json"], input=payload)
    assert stale.exit_code == 1
    assert json.loads(stale.output)["fault"] == "stale"


def test_validate_says_what_is_wrong_on_standard_error(tmp_path: Path) -> None:
    file = tmp_path / "payload.json"
    file.write_bytes(b'{"id": 7}')
    answer = CliRunner().invoke(contract, ["validate", SCAN, str(file)])
    assert answer.exit_code == 1
    assert answer.stdout == ""
    assert "wrong_shape" in answer.stderr
    file.write_bytes(b" " * (MAX_PAYLOAD_BYTES * 2))
    assert "oversized" in CliRunner().invoke(contract, ["validate", SCAN, str(file)]).stderr


def test_validate_of_a_missing_file_is_wrong_usage() -> None:
    assert CliRunner().invoke(contract, ["validate", SCAN, "no-such-file"]).exit_code == 2
