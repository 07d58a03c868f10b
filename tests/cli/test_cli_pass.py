"""`linli pass verify` as a script and as a person uses it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from portal.cli_pass import group
from portal.core.crypto.signing import SigningKey
from portal.passes.claims import PassClaims, PassKind
from portal.passes.keys import KeySet, PassKey
from portal.passes.token import issue

KEY = SigningKey.from_private_bytes(bytes(range(32)))
NOW = datetime.now(UTC)
CLAIMS = PassClaims(
    issuer="91110000600037341L",
    pass_id=bytes(range(16)),
    kind=PassKind.VISITOR,
    issued_at=NOW,
    not_before=NOW,
    expires_at=NOW + timedelta(hours=1),
    scope=(3, "east"),
    use_limit=1,
)
TOKEN = issue(CLAIMS, KEY)
KEYS = KeySet([PassKey(KEY.public, None, NOW - timedelta(days=1), NOW + timedelta(days=9))])


@pytest.fixture
def key_file(tmp_path: Path) -> str:
    path = tmp_path / "keys.json"
    path.write_text(KEYS.to_json())
    return str(path)


def test_a_valid_pass_ends_with_0_and_its_claims(key_file: str) -> None:
    result = CliRunner().invoke(group, ["verify", TOKEN, "--keys", key_file])
    assert (result.exit_code, result.stderr) == (0, "")
    assert "verdict: valid\nreason: ok\n" in result.stdout
    assert "kind: visitor" in result.stdout
    assert "scope: 3 east" in result.stdout
    assert "NOT proven" not in result.stdout


def test_an_empty_scope_is_said_in_words(key_file: str) -> None:
    token = issue(replace(CLAIMS, scope=()), KEY)
    result = CliRunner().invoke(group, ["verify", token, "--keys", key_file])
    assert "scope: whole community" in result.stdout


def test_json_says_it_all(key_file: str) -> None:
    result = CliRunner().invoke(group, ["verify", TOKEN, "--keys", key_file, "--json"])
    assert json.loads(result.stdout) == {
        "valid": True,
        "reason": "ok",
        "message": "The pass is valid.",
        "signature_holds": True,
        "key_id": KEY.key_id.hex(),
        "claims": CLAIMS.as_json(),
    }


def test_the_token_may_come_by_standard_input(key_file: str) -> None:
    result = CliRunner().invoke(group, ["verify", "-", "--keys", key_file], input=TOKEN + "\r\n")
    assert result.exit_code == 0


def test_an_expired_pass_ends_with_1_and_the_reason(key_file: str) -> None:
    later = (NOW + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%S+0000")
    result = CliRunner().invoke(group, ["verify", TOKEN, "--keys", key_file, "--at", later])
    assert result.exit_code == 1
    assert result.stderr == "expired: The pass has expired: renew it.\n"
    assert "claims:\n" in result.stdout


def test_claims_of_an_unknown_signer_are_marked(key_file: str) -> None:
    token = issue(CLAIMS, SigningKey.generate())
    result = CliRunner().invoke(group, ["verify", token, "--keys", key_file])
    assert result.exit_code == 1
    assert "claims, NOT proven by a signature:" in result.stdout
    assert result.stderr.startswith("unknown_key: ")
    result = CliRunner().invoke(group, ["verify", token, "--keys", key_file, "--json"])
    answer = json.loads(result.stdout)
    assert (answer["signature_holds"], answer["reason"]) == (False, "unknown_key")


@pytest.mark.parametrize(
    ("token", "reason"), [("hello", "not_a_pass"), ("LL1:hello", "malformed"), ("", "not_a_pass")]
)
def test_what_is_no_pass_ends_with_1_and_no_claims(token: str, reason: str, key_file: str) -> None:
    result = CliRunner().invoke(group, ["verify", token, "--keys", key_file, "--json"])
    answer = json.loads(result.stdout)
    assert (result.exit_code, answer["reason"], answer["claims"]) == (1, reason, None)


def test_a_pass_of_another_community_is_refused_on_demand(key_file: str) -> None:
    arguments = ["verify", TOKEN, "--keys", key_file, "--issuer"]
    assert CliRunner().invoke(group, [*arguments, CLAIMS.issuer]).exit_code == 0
    result = CliRunner().invoke(group, [*arguments, "91110000802100433B"])
    assert (result.exit_code, result.stderr[:16]) == (1, "wrong_community:")
    assert CliRunner().invoke(group, [*arguments, "here"]).exit_code == 2


def test_a_key_set_that_cannot_be_read_ends_with_2(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text("{}")
    for file in (path, tmp_path / "absent.json"):
        result = CliRunner().invoke(group, ["verify", TOKEN, "--keys", str(file)])
        assert result.exit_code == 2
        assert "--keys" in result.stderr


def test_without_an_installation_the_key_set_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LINLI_DATA_DIR", str(tmp_path / "nothing"))
    monkeypatch.delenv("LINLI_DATABASE_URL", raising=False)
    result = CliRunner().invoke(group, ["verify", TOKEN])
    assert result.exit_code == 1
    assert "--keys" in result.stderr
    assert not (tmp_path / "nothing").exists()
