"""`linli audit` and `linli account`, as an operator uses them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from portal.accounts import sms
from portal.accounts.models import User
from portal.cli import main
from portal.core import audit_chain, audit_checkpoints
from portal.core.clock import utc_now
from portal.core.permissions import Role
from tests.portal.cast import Town


@pytest.fixture
def installed(town: Town, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.setenv("LINLI_DATA_DIR", str(town.config.data_dir))
    monkeypatch.delenv("LINLI_TEST_REQUIRE", raising=False)
    with town.db.write() as session:
        audit_chain.seal(session, utc_now())
    return town


def linli(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def test_a_whole_chain_is_confirmed(installed: Town) -> None:
    answer = linli("audit", "verify")
    assert answer.exit_code == 0, answer.output
    assert re.match(r"\d+ entries hold", answer.output)
    told = json.loads(linli("audit", "verify", "--json").stdout)
    assert told["broken"] is None
    assert told["sealed"] > 0


def test_the_first_broken_entry_is_named_and_the_exit_code_is_1(installed: Town) -> None:
    with installed.db.write() as session:
        session.execute(text("DROP TRIGGER audit_entries_unchanged"))
        session.execute(text("UPDATE audit_entries SET actor = 'x' WHERE id IN (2, 3)"))
    answer = linli("audit", "verify")
    assert answer.exit_code == 1
    assert "broken at link 2 (entry 2): the entry was changed" in answer.output


def test_a_copy_of_the_checkpoints_finds_a_cut_tail(installed: Town, tmp_path: Path) -> None:
    with installed.db.read() as session:
        audit_checkpoints.write(installed.config, session, utc_now())
    key = linli("audit", "key").stdout.strip()
    copy = tmp_path / "copy.jsonl"
    copy.write_bytes(installed.config.path(audit_checkpoints.FILE).read_bytes())
    installed.config.path(audit_checkpoints.FILE).unlink()
    with installed.db.write() as session:
        session.execute(text("DROP TRIGGER audit_seals_kept"))
        session.execute(text("DELETE FROM audit_seals WHERE seq > 1"))
    assert linli("audit", "verify").exit_code == 0
    answer = linli("audit", "verify", "--checkpoints", str(copy), "--public-key", key)
    assert answer.exit_code == 1
    assert "the chain ends before" in answer.output
    wrong = linli("audit", "verify", "--checkpoints", str(copy), "--public-key", "00" * 32)
    assert wrong.exit_code == 1


def test_an_export_by_days_is_audited(installed: Town) -> None:
    today = f"{utc_now():%Y-%m-%d}"
    answer = linli("audit", "export", "--from", "2020-01-01", "--format", "jsonl")
    assert answer.exit_code == 0, answer.output
    rows = [json.loads(line) for line in answer.stdout.splitlines()]
    assert {"resident.approve", "resident.refuse"} & {row["action"] for row in rows}
    again = linli("audit", "export", "--from", today, "--format", "jsonl").stdout
    assert "audit.export" in again
    assert linli("audit", "export", "--until", "2020-01-01").stdout.count("\n") == 1


def test_an_installation_begins_with_three_links(installed: Town) -> None:
    for role in (Role.SYSTEM_ADMIN, Role.SECURITY_ADMIN, Role.AUDIT_ADMIN):
        answer = linli(
            "account", "invite", f"first {role}", "--region", "110105000000", "--role", role.value
        )
        assert answer.exit_code == 0, answer.output
        assert "/join/" in answer.stdout
    assert linli("account", "invite", "x", "--region", "999999").exit_code == 1
    assert linli("account", "invite", " ", "--region", "110105000000").exit_code == 1


def test_a_way_back_in_when_everybody_is_disabled(installed: Town) -> None:
    with installed.db.write() as session:
        session.get_one(User, installed.ids["user:sysadmin"]).active = False
    assert "disabled" in linli("account", "list").stdout
    assert linli("account", "enable", "sysadmin").stdout == "enabled\n"
    assert linli("account", "enable", "sysadmin").stdout == "was enabled already\n"
    assert "/join/" in linli("account", "renew", "sysadmin").stdout
    assert linli("account", "enable", "nobody").exit_code == 1
    assert linli("account", "renew", "13800138001").exit_code == 1


def test_the_demo_shows_what_was_sent_to_a_resident(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINLI_DATA_DIR", str(tmp_path))
    monkeypatch.delenv("LINLI_TEST_REQUIRE", raising=False)
    account = {"username": "19900000001", "password": "x", "totp_secret": None}
    (tmp_path / "demo-accounts.json").write_text(json.dumps([account]))
    before = linli("demo", "code", "19900000001")
    assert before.exit_code == 1
    assert "/sign-in/phone" in before.output
    sender = sms.ConsoleSender(tmp_path / sms.FILE)
    for code in ("111111", "042817"):
        sender.send(sms.Message("1", "19900000001", "sign_in", "en", code, 5))
    assert linli("demo", "code", "19900000001").stdout == "042817\n"
