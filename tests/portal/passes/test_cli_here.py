"""`linli pass verify` with the keys and revocations of a real installation."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner, Result

from portal.cli_pass import group
from portal.passes.operations import revoke
from tests.portal.gatehouse import NOW, Gatehouse

AT = (NOW + timedelta(seconds=5)).strftime("%Y-%m-%dT%H:%M:%S+0000")


@pytest.fixture
def installed(database_url: str, house: Gatehouse, monkeypatch: pytest.MonkeyPatch) -> Gatehouse:
    """A gatehouse that the command line takes for its installation."""
    monkeypatch.setenv("LINLI_DATABASE_URL", database_url)
    return house


def verify(*arguments: str) -> Result:
    return CliRunner().invoke(group, ["verify", *arguments, "--at", AT])


def test_a_code_of_this_installation_is_valid_until_its_pass_is_withdrawn(
    installed: Gatehouse,
) -> None:
    pass_id = installed.resident_pass()
    code = installed.code(pass_id)
    assert verify(code).exit_code == 0
    assert verify(code, "--issuer", "91110000802100433B").stderr.startswith("wrong_community: ")
    with installed.db.write() as session:
        revoke(session, pass_id, installed.now, "moved")
    answer = verify(code)
    assert (answer.exit_code, answer.stderr[:9]) == (1, "revoked: ")


@pytest.mark.parametrize(("text", "reason"), [("nonsense", "not_a_pass"), ("LL1:", "malformed")])
def test_what_is_no_pass_is_said_so(installed: Gatehouse, text: str, reason: str) -> None:
    answer = verify(text)
    assert (answer.exit_code, answer.stderr.split(":")[0]) == (1, reason)


def test_a_database_without_tables_is_named(
    tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path_factory.mktemp("empty") / "empty.db"
    monkeypatch.setenv("LINLI_DATABASE_URL", f"sqlite:///{empty}")
    answer = verify("LL1:x")
    assert answer.exit_code == 1
    assert "linli config" in answer.stderr
