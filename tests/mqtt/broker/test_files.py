"""The broker's files, without a broker."""

import hashlib
import json
import stat
from base64 import b64decode
from pathlib import Path

import pytest

from mqtt.broker.accounts import Access, BrokerAccount, Rule, Service, device_rules
from mqtt.broker.credentials import (
    CredentialsError,
    ensure_credentials,
    load_credentials,
    service_accounts,
)
from mqtt.broker.files import (
    BrokerFiles,
    mosquitto_text,
    passwords_text,
    read_private,
    rules_text,
    write_accounts,
    write_private,
)
from mqtt.broker.passwords import hash_password
from mqtt.contract.topics import DeviceAddress

HASH = hash_password("secret")


def account(name: str = "dev") -> BrokerAccount:
    return BrokerAccount(name, HASH, device_rules(DeviceAddress("linli-a", "gate-1")))


def test_a_device_s_block_names_each_channel_once() -> None:
    assert rules_text([account()]) == (
        "user dev\n"
        "topic write linli/v1/linli-a/gate-1/status\n"
        "topic write linli/v1/linli-a/gate-1/+/+/state\n"
        "topic write linli/v1/linli-a/gate-1/event/+\n"
        "topic write linli/v1/linli-a/gate-1/result/+\n"
        "topic read linli/v1/linli-a/gate-1/command/+\n"
    )


def test_the_password_hash_is_the_one_mosquitto_computes() -> None:
    _, seven, iterations, salt, digest = HASH.split("$")
    assert seven == "7"
    wanted = hashlib.pbkdf2_hmac("sha512", b"secret", b64decode(salt), int(iterations), 64)
    assert b64decode(digest) == wanted
    assert passwords_text([account()]) == f"dev:{HASH}\n"


@pytest.mark.parametrize("name", ["", "a:b", "a b", "a\nuser root", "#a", "a\0", "邻里", "x" * 81])
def test_a_name_that_would_break_the_files_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="user name"):
        account(name)


@pytest.mark.parametrize("wrong", ["", "secret", "$7$101$a$b\nroot:x", "$7$1:2"])
def test_what_is_no_hash_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="password hash"):
        BrokerAccount("dev", wrong, ())


def test_a_rule_cannot_bring_a_line_of_its_own() -> None:
    with pytest.raises(ValueError, match="topic filter"):
        BrokerAccount("dev", HASH, (Rule(Access.READ, "a\ntopic readwrite #"),))


def test_an_account_shows_no_secret() -> None:
    shown = repr(BrokerAccount("dev", HASH, (), password="hunter2"))
    assert "hunter2" not in shown
    assert HASH not in shown


def test_files_are_the_owner_s_alone(tmp_path: Path) -> None:
    files = BrokerFiles(tmp_path / "broker")
    write_accounts(files, [account("b"), account("a")])
    for path in (files.passwords, files.rules):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700
    assert files.rules.read_text().index("user a") < files.rules.read_text().index("user b")
    assert sorted(p.name for p in files.folder.iterdir()) == ["passwords", "rules"]


def test_two_accounts_of_one_name_are_refused_and_the_old_files_stay(tmp_path: Path) -> None:
    files = BrokerFiles(tmp_path)
    write_accounts(files, [account("a")])
    before = files.passwords.read_text()
    with pytest.raises(ValueError, match="same name: a"):
        write_accounts(files, [account("a"), account("a")])
    assert files.passwords.read_text() == before


def test_the_configuration_lets_nobody_in_unnamed_and_listens_on_the_loopback_only(
    tmp_path: Path,
) -> None:
    lines = mosquitto_text(BrokerFiles(tmp_path), 1883).splitlines()
    assert "allow_anonymous false" in lines
    assert [line for line in lines if line.startswith("listener")] == ["listener 1883 127.0.0.1"]
    limit = next(int(line.split()[1]) for line in lines if line.startswith("message_size_limit"))
    assert limit > 65_536


def test_credentials_are_made_once_and_stay(tmp_path: Path) -> None:
    first = ensure_credentials(tmp_path)
    assert set(first) == set(Service)
    assert len({c.password for c in first.values()}) == len(Service)
    assert ensure_credentials(tmp_path) == first == load_credentials(tmp_path)
    path = tmp_path / "broker" / "credentials.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_service_missing_from_the_file_is_added_and_the_others_keep_theirs(
    tmp_path: Path,
) -> None:
    first = ensure_credentials(tmp_path)
    path = tmp_path / "broker" / "credentials.json"
    document = json.loads(path.read_text())
    del document["services"]["ingest"]
    document["services"]["of_a_later_release"] = {"username": "x", "password": "y"}
    write_private(path, json.dumps(document))
    second = ensure_credentials(tmp_path)
    assert second[Service.WORKER] == first[Service.WORKER]
    assert second[Service.INGEST] != first[Service.INGEST]


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"version": 2}', '{"version": 1}', '{"version": 1, "services": {"worker": {}}}'],
)
def test_damaged_credentials_are_named_and_not_overwritten(tmp_path: Path, text: str) -> None:
    path = tmp_path / "broker" / "credentials.json"
    write_private(path, text)
    with pytest.raises(CredentialsError, match=r"credentials\.json"):
        ensure_credentials(tmp_path)
    assert path.read_text() == text


def test_credentials_open_to_others_are_refused(tmp_path: Path) -> None:
    ensure_credentials(tmp_path)
    path = tmp_path / "broker" / "credentials.json"
    path.chmod(0o644)
    with pytest.raises(CredentialsError, match="chmod 600"):
        load_credentials(tmp_path)
    with pytest.raises(PermissionError):
        read_private(path)


def test_service_accounts_know_their_passwords_and_rules(tmp_path: Path) -> None:
    accounts = {a.username: a for a in service_accounts(ensure_credentials(tmp_path))}
    assert set(accounts) == {"linli-worker", "linli-ingest", "linli-admin"}
    assert all(a.password for a in accounts.values())
    assert {r.access for r in accounts["linli-ingest"].rules} == {Access.READ}
