"""`linli check` as a script uses it."""

import json

import pytest
from click.testing import CliRunner

from portal.cli_check import group


@pytest.mark.parametrize(
    ("kind", "value", "normal"),
    [
        ("uscc", "9111 0000 6000 3734 1l", "91110000600037341L"),
        ("id", "11010519491231002x", "11010519491231002X"),
        ("plate", "京a·12345", "京A12345"),
        ("phone", "+86 138 1234 5678", "13812345678"),
    ],
)
def test_a_valid_identifier_ends_with_0_and_its_normal_form(
    kind: str, value: str, normal: str
) -> None:
    result = CliRunner().invoke(group, [kind, value])
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines()[0] == normal
    answer = json.loads(CliRunner().invoke(group, [kind, value, "--json"]).stdout)
    assert (answer["valid"], answer["value"]) == (True, normal)
    assert answer["reason"] is answer["message"] is None


@pytest.mark.parametrize(
    ("kind", "value", "reason"),
    [
        ("uscc", "91110000600037341M", "check_digit"),
        ("id", "11010520230229002X", "birth_date"),
        ("plate", "京I12345", "issuer"),
        ("phone", "12812345678", "prefix"),
        ("uscc", "", "empty"),
    ],
)
def test_an_invalid_one_ends_with_1_and_the_reason_on_stderr(
    kind: str, value: str, reason: str
) -> None:
    result = CliRunner().invoke(group, [kind, value])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.startswith(f"{reason}: ")
    result = CliRunner().invoke(group, [kind, value, "--json"])
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert (answer["valid"], answer["reason"]) == (False, reason)
    assert result.stderr == f"{reason}: {answer['message']}\n"


@pytest.mark.parametrize("arguments", [["uscc"], ["passport", "1"], ["plate", "京A12345", "--xml"]])
def test_wrong_use_ends_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(group, arguments).exit_code == 2


def test_what_an_identity_number_says_is_printed() -> None:
    result = CliRunner().invoke(group, ["id", "11010519491231002X"])
    assert "birth_date: 1949-12-31" in result.stdout
    assert "sex: female" in result.stdout


def test_a_plate_a_person_must_decide_about_says_so() -> None:
    answer = json.loads(CliRunner().invoke(group, ["plate", "VA12345", "--json"]).stdout)
    assert answer["details"] == {"class": "manual", "opens_automatically": False}
