"""The demo community: whole, valid, repeatable but for its secrets."""

import json
import random
import stat
from collections import Counter
from datetime import date
from pathlib import Path

import pyotp
import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from mqtt.broker.accounts import BrokerAccount, device_rules
from mqtt.broker.passwords import verify_password
from mqtt.contract.topics import DeviceAddress
from mqtt.simulator.population import load
from portal import config as configuration
from portal.accounts.identity import sign_in_hash
from portal.cli_demo import demo
from portal.config import Config
from portal.core.clock import utc_now
from portal.core.db import Database
from portal.core.identifiers import check_phone, check_plate, check_resident_id, check_uscc
from portal.core.permissions import Role
from portal.demo.people import PENDING, RESIDENTS, invent
from portal.demo.seed import seed
from portal.models import (
    Building,
    Compartment,
    Consent,
    Device,
    Dwelling,
    Gate,
    Notice,
    Parcel,
    Pass,
    Region,
    Residency,
    Resident,
    RoleGrant,
    User,
    Vehicle,
)
from portal.notices import readers
from portal.notices.queries import Shown, shown_state
from portal.parcels import couriers
from portal.regions.models import Level
from portal.supervisor import first_start


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    found, _ = configuration.load({"LINLI_DATA_DIR": str(tmp_path_factory.mktemp("data"))})
    return found


@pytest.fixture(scope="module")
def database(config: Config) -> Database:
    opened = Database(config.effective_database_url)
    first = first_start.prepare(config, opened, demo=True)
    assert first.seeded
    return opened


def count(database: Database, model: type) -> int:
    with database.read() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_the_community_is_whole(database: Database) -> None:
    assert count(database, Building) == 3
    assert count(database, Dwelling) == 60
    assert count(database, Resident) == count(database, Residency) == RESIDENTS
    assert count(database, Consent) == RESIDENTS
    assert count(database, Gate) == 4
    with database.read() as session:
        kinds = Counter(session.scalars(select(Device.kind)))
        states = Counter(session.scalars(select(Resident.state)))
        levels = Counter(session.scalars(select(Region.level)))
        lived_in = session.scalar(select(func.count(Residency.dwelling_id.distinct())))
    assert kinds == {"door_lock": 4, "thermometer": 2, "parcel_locker": 2, "alarm_button": 6}
    assert states == {"approved": RESIDENTS - PENDING, "pending": PENDING}
    assert levels == {**dict.fromkeys(Level, 1), Level.GRID: 2}
    assert lived_in == 60


def test_every_region_lies_below_its_parent(database: Database) -> None:
    with database.read() as session:
        regions = {r.id: r for r in session.scalars(select(Region))}
    for region in regions.values():
        above = regions[region.parent_id].path if region.parent_id else "/"
        assert region.path == f"{above}{region.id}/"
        if region.uscc:
            assert check_uscc(region.uscc).valid
            assert region.level == Level.COMMUNITY
            assert len(region.code) == 12


def test_residents_have_valid_numbers_that_can_be_nobody_s(database: Database) -> None:
    with database.read() as session:
        rows = session.scalars(select(Resident)).all()
    for row in rows:
        document = check_resident_id(row.document_number)
        assert document.valid
        assert document.details["area"] == "919999"
        assert check_phone(row.phone).valid
        assert row.phone.startswith("1990000")
    assert len({row.phone for row in rows}) == len({row.document_number for row in rows}) == 150


def test_every_role_can_sign_in_with_what_the_file_says(config: Config, database: Database) -> None:
    path = config.path("demo-accounts.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    accounts = json.loads(path.read_text())
    staff = [a for a in accounts if a["role"] != "resident"]
    assert {a["role"] for a in staff} == set(Role)
    assert len({a["password"] for a in accounts}) == len(accounts)
    with database.read() as session:
        for account in accounts:
            assert set(account) == {"role", "username", "password", "totp_secret", "note"}
            user = session.scalars(
                select(User).where(User.sign_in_hash == sign_in_hash(account["username"]))
            ).one()
            assert user.password.startswith("$argon2id$")
            assert (user.resident_id is not None) == (account["role"] == "resident")
            assert (account["totp_secret"] is None) == (account["role"] == "resident")
            if account["totp_secret"]:
                totp = pyotp.parse_uri(user.tf_totp_secret)
                assert totp.secret == account["totp_secret"]
                role = session.scalars(
                    select(RoleGrant.role).where(RoleGrant.user_id == user.id)
                ).one()
                assert role == account["role"]
    assert count(database, User) == len(accounts)
    assert count(database, Pass) == 2


def test_the_simulator_reads_its_devices_and_the_broker_knows_them(
    config: Config, database: Database
) -> None:
    path = config.path("simulated-devices.json")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    devices = {d.username: d for d in load(path)}
    assert sum(d.compartments for d in devices.values() if d.kind == "parcel_locker") == 32
    with database.read() as session:
        rows = session.scalars(select(Device)).all()
    assert {row.mqtt_username for row in rows} == set(devices)
    for row in rows:
        described = devices[row.mqtt_username]
        assert verify_password(described.password, row.mqtt_password)
        BrokerAccount(
            row.mqtt_username, row.mqtt_password, device_rules(DeviceAddress("linli-demo", row.key))
        )
        if described.thermometer:
            assert f"linli-demo/{described.thermometer}" in {d.name for d in devices.values()}


def test_a_dozen_vehicles_stand_there_and_two_wait(database: Database) -> None:
    with database.read() as session:
        rows = session.scalars(select(Vehicle)).all()
    assert Counter(row.state for row in rows) == {"verified": 9, "pending": 2, "refused": 1}
    assert sum(row.by_hand_only for row in rows) == 1
    assert len({row.plate for row in rows}) == len(rows) == 12
    for row in rows:
        assert check_plate(row.plate).valid
        assert row.plate.startswith("藏Z")  # issued by nobody


def test_lockers_and_their_virtual_doors_agree(config: Config, database: Database) -> None:
    devices = {d.device: d for d in load(config.path("simulated-devices.json"))}
    with database.read() as session:
        rows = session.execute(
            select(Device.key, Compartment.number, Compartment.state).join(
                Device, Compartment.device_id == Device.id
            )
        ).all()
    assert len(rows) == 32
    for key in ("locker-south", "locker-north"):
        full = [n for k, n, state in rows if k == key and state == "occupied"]
        assert sorted(full) == sorted(devices[key].occupied or ())


def test_a_parcel_waits_for_the_owner_and_the_courier_s_code_counts(
    config: Config, database: Database
) -> None:
    accounts = json.loads(config.path("demo-accounts.json").read_text())
    owner = next(a for a in accounts if "owner, approved" in a["note"])
    code = json.loads(config.path("demo.json").read_text())["courier_code"]
    with database.read() as session:
        user = session.scalars(
            select(User).where(User.sign_in_hash == sign_in_hash(owner["username"]))
        ).one()
        parcels = session.scalars(
            select(Parcel).where(Parcel.resident_id == user.resident_id)
        ).all()
        assert [p.state for p in parcels] == ["stored"]
        assert couriers.sign_in(session, code, utc_now()).company == "sf"


def test_the_command_line_says_how_to_play_the_courier(config: Config, database: Database) -> None:
    del database  # the demo has been made
    said = CliRunner().invoke(demo, ["courier"], env={"LINLI_DATA_DIR": str(config.data_dir)})
    code = json.loads(config.path("demo.json").read_text())["courier_code"]
    assert (said.exit_code, said.stdout.strip()) == (0, code)
    assert f"/c/{code}" in said.stderr


def test_a_database_with_something_in_it_is_left_alone(config: Config, database: Database) -> None:
    before = config.path("demo-accounts.json").read_text()
    assert not first_start.prepare(config, database, demo=True).seeded
    assert config.path("demo-accounts.json").read_text() == before


def test_people_are_the_same_every_time() -> None:
    day = date(2026, 3, 2)
    first = invent(random.Random(7), 60, day)
    assert first == invent(random.Random(7), 60, day)
    assert first != invent(random.Random(8), 60, day)
    assert sum(p.pending for p in first) == PENDING


def test_a_seed_that_fails_leaves_neither_rows_nor_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found, _ = configuration.load({"LINLI_DATA_DIR": str(tmp_path)})
    empty = Database(found.effective_database_url)
    try:
        first_start.prepare(found, empty, demo=False)

        def fail(*_: object) -> None:
            raise OSError("disk full")

        monkeypatch.setattr("portal.demo.seed.as_json", fail)
        with pytest.raises(OSError, match="disk full"):
            seed(found, empty)
        assert first_start.is_empty(empty)
        assert count(empty, User) == 0
        assert not list(tmp_path.glob("demo*.json"))
    finally:
        empty.close()


def test_notices_stand_in_every_state_and_say_that_they_are_examples(database: Database) -> None:
    with database.read() as session:
        rows = session.scalars(select(Notice)).all()
        shown = Counter(shown_state(row, utc_now()) for row in rows)
        counts = readers.counts(session, next(r for r in rows if r.confirm_by))
    assert shown == {
        Shown.PUBLISHED: 3,
        Shown.SCHEDULED: 1,
        Shown.WITHDRAWN: 1,
        Shown.DRAFT: 1,
    }
    assert all("演示" in row.title and "演示数据" in row.body for row in rows)
    assert counts.reached.people > counts.read.people > counts.confirmed.people > 0
