"""The main group: help without imports, one missing part breaks no other, exit codes."""

import json
import subprocess
import sys
from pathlib import Path

import pyotp
import pytest
from click.testing import CliRunner, Result

from portal import cli
from portal.cli import COMMANDS, SECTIONS, main


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINLI_DATA_DIR", str(tmp_path / "data"))


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments), prog_name="linli")


def test_help_lists_every_command_by_section_with_examples() -> None:
    answer = run("--help")
    assert answer.exit_code == 0
    for name, entry in COMMANDS.items():
        assert f"  {name}" in answer.output
        assert entry.about in answer.output
        assert entry.section in SECTIONS
    assert "linli up --demo" in answer.output
    assert "78" in answer.output


def test_help_imports_none_of_the_heavy_parts() -> None:
    code = (
        "import sys; sys.argv = ['linli', '--help']\n"
        "from portal.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'flask', 'sqlalchemy', 'paho', 'cryptography', 'rich'} & set(sys.modules)\n"
        "sys.exit(', '.join(heavy) or 0)"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False
    )
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - {"i18n"}))
def test_every_command_can_be_imported_and_explains_itself(name: str) -> None:
    answer = run(name, "--help")
    assert answer.exit_code == 0, answer.output
    assert f"linli {name}" in answer.output


def test_a_part_that_is_missing_says_so_and_breaks_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gone = cli.Entry("portal.cli_not_there", "x", "Run", "Not there.")
    monkeypatch.setitem(cli.COMMANDS, "lost", gone)
    answer = run("lost")
    assert answer.exit_code == 69
    assert "`lost` is not part of this installation" in answer.stderr
    assert run("config").exit_code == 0
    assert run("--help").exit_code == 0


def test_an_unknown_command_is_wrong_usage() -> None:
    assert run("nonsense").exit_code == 2


@pytest.mark.parametrize(
    "command", [["config"], ["doctor"], ["up"], ["serve", "web"], ["db", "current"]]
)
def test_a_wrong_setting_is_one_line_that_names_it(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINLI_HTTP_PORT", "eighty")
    answer = run(*command)
    assert answer.exit_code == 78
    assert answer.stderr == "linli: LINLI_HTTP_PORT: 'eighty' is not a whole number\n"


def test_config_shows_value_and_source_and_hides_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINLI_HTTP_PORT", "8099")
    monkeypatch.setenv("LINLI_SECRET_KEY", "hunter2")
    monkeypatch.setenv("LINLI_MQTT_URL", "mqtt://me:hunter2@broker.example")
    plain, machine = run("config"), run("config", "--json")
    assert "hunter2" not in plain.output + machine.output
    rows = {row["key"]: row for row in json.loads(machine.output)}
    assert rows["LINLI_HTTP_PORT"]["shown"] == "8099"
    assert rows["LINLI_HTTP_PORT"]["source"] == "environment LINLI_HTTP_PORT"
    assert rows["LINLI_MQTT_URL"]["shown"] == "mqtt://me:***@broker.example"
    assert rows["LINLI_METRICS_PORT"]["source"] == "default"


def test_the_database_goes_up_is_checked_and_goes_down() -> None:
    assert run("db", "current").output == "empty\n"
    behind = run("db", "check")
    assert behind.exit_code == 1
    assert "linli db upgrade" in behind.stderr
    assert run("db", "upgrade").exit_code == 0
    assert run("db", "check").exit_code == 0
    assert json.loads(run("db", "check", "--json").output)["differences"] == []
    assert run("db", "downgrade", "base").exit_code == 1
    assert run("db", "downgrade", "base", "--yes").exit_code == 0
    assert run("db", "current").output == "empty\n"


def test_a_database_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LINLI_DATABASE_URL", "postgresql://127.0.0.1:1/none")
    answer = run("db", "current")
    assert answer.exit_code == 1
    assert "LINLI_DATABASE_URL" in answer.stderr


def test_demo_codes_are_the_authenticator_s(tmp_path: Path) -> None:
    assert run("demo", "code", "worker").exit_code == 1
    secret = pyotp.random_base32()
    accounts = [
        {
            "role": "worker",
            "username": "worker",
            "password": "p",
            "totp_secret": secret,
            "note": "",
        },
        {"role": "resident", "username": "1", "password": "p", "totp_secret": None, "note": ""},
    ]
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "demo-accounts.json").write_text(json.dumps(accounts))
    answer = run("demo", "code", "worker")
    assert answer.exit_code == 0
    assert pyotp.TOTP(secret).verify(answer.stdout.strip(), valid_window=1)
    assert run("demo", "code", "1").exit_code == 1
    assert run("demo", "code", "nobody").exit_code == 1
    assert json.loads(run("demo", "accounts", "--json").output) == accounts


def test_doctor_works_while_nothing_is_there_and_makes_nothing(tmp_path: Path) -> None:
    answer = run("doctor", "--json")
    rows = {row["part"]: row for row in json.loads(answer.stdout)}
    assert answer.exit_code == 0, rows
    assert rows["database"]["state"] == "warn"
    assert rows["worker"]["advice"]
    assert not (tmp_path / "data").exists()


def test_doctor_finds_what_is_wrong_and_exits_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    (folder / "linli.db").write_text("this is no database, and long enough to be looked at")
    monkeypatch.setenv("LINLI_MQTT_URL", "mqtt://me:secret@127.0.0.1:1")
    answer = run("doctor", "--json")
    rows = {row["part"]: row for row in json.loads(answer.stdout)}
    assert answer.exit_code == 1
    assert rows["database"]["state"] == "fail"
    assert rows["data folder"]["advice"] == f"chmod 700 {folder}"
    assert rows["broker"]["state"] == "fail"
    assert "secret" not in answer.stdout
    assert all(row["advice"] for row in rows.values() if row["state"] != "ok")


def test_serving_without_credentials_says_what_to_do() -> None:
    answer = run("serve", "ingest")
    assert answer.exit_code == 78
    assert "linli up" in answer.stderr
