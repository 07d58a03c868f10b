"""A small town with people in it, for tests of pages and operations.

Two communities under one county; two buildings of two units of four dwellings each. The people:

    resident    approved, lives in the community          worker      may decide there
    waiting     registered there, not decided             gatekeeper  sees, decides nothing
    refused     refused there                             manager     devices and posters, no residents
    neighbour   approved, in the other community          auditor     audit only, whole county
    outsider    nobody: not signed in                     distant     worker of the other community
    health      health worker there                       supervisor  sees the whole county
    sysadmin    accounts, whole county                    support     devices, whole county
    secadmin    roles and lock-outs, whole county         secure      another worker of the community

Staff have an authenticator, all with the same secret (``TOTP``).
"""

from __future__ import annotations

import re
import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from portal.accounts.datastore import load_user
from portal.accounts.models import SignInSession, User
from portal.accounts.operations import create_staff
from portal.accounts.passwords import hash_password
from portal.accounts.session import actor_of
from portal.accounts.sessions import digest_of
from portal.accounts.signed_in import CONFIRMED, TOKEN
from portal.config import Config
from portal.core import migrate
from portal.core.db import Database
from portal.core.identifiers import resident_id_with_check, uscc_with_check
from portal.core.identifiers.uscc import organisation_with_check
from portal.core.keys import install_keys
from portal.core.permissions import Actor, Role
from portal.privacy.operations import current_text, publish_defaults
from portal.privacy.texts import REGISTRATION
from portal.regions.models import Building, Dwelling, Level, Region, Unit
from portal.residents.models import DocumentType, Relation, Resident
from portal.residents.operations import Registration, decide, register
from portal.services import Services
from tests.portal.templates_kept import keep_templates

NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
PASSWORD = "lantern-river-42"
USCC = uscc_with_check("52110105" + organisation_with_check("MJ012345"))
OTHER_USCC = uscc_with_check("52110105" + organisation_with_check("MJ076543"))
STRANGE_USCC = uscc_with_check("52310105" + organisation_with_check("MJ076543"))
TOTP = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"

RESIDENTS = {
    "resident": ("张伟", "13800138001", "11010519900307101", "approve"),
    "waiting": ("李秀英", "13800138002", "11010519850101202", "wait"),
    "refused": ("欧阳小明", "13800138003", "11010519790512303", "refuse"),
    "neighbour": ("王芳", "13800138004", "11010519881224404", "approve"),
}
STAFF = {
    "worker": (Role.WORKER, "community"),
    "gatekeeper": (Role.GATEKEEPER, "community"),
    "manager": (Role.MANAGER, "community"),
    "distant": (Role.WORKER, "other"),
    "supervisor": (Role.SUPERVISOR, "county"),
    "auditor": (Role.AUDIT_ADMIN, "county"),
    "health": (Role.HEALTH_WORKER, "community"),
    "support": (Role.SUPPORT, "county"),
    "sysadmin": (Role.SYSTEM_ADMIN, "county"),
    "secadmin": (Role.SECURITY_ADMIN, "county"),
}


@dataclass
class Moment:
    """A clock that tests set."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now


@dataclass
class Town:
    """The town of one test: its folder, database, application and ids."""

    config: Config
    db: Database
    clock: Moment
    ids: dict[str, int]
    _app: Flask | None = field(default=None, repr=False)

    @property
    def services(self) -> Services:
        return Services(config=self.config, db=self.db, clock=self.clock)

    @property
    def app(self) -> Flask:
        """The portal over this town."""
        if self._app is None:
            from portal.app import create_app

            self._app = keep_templates(create_app(self.services))
        return self._app

    def actor(self, name: str) -> Actor:
        """The actor that somebody of the cast is when signed in."""
        with self.db.read() as session:
            user = load_user(session, User.id == self.ids[f"user:{name}"])
            assert user is not None
            return actor_of(user)

    def person(self, name: str = "outsider", language: str = "en") -> Person:
        """A browser of somebody of the cast, signed in unless it is the outsider.

        The session is made without the form, which tests/portal/accounts tries out.
        """
        person = Person(self.app.test_client(), language)
        if name != "outsider":
            with self.db.read() as session:
                user = session.get(User, self.ids[f"user:{name}"])
                assert user is not None
            signed_in(person.client, self.db, user, self.clock.now)
        return person

    @staticmethod
    def sign_in_name(name: str) -> str:
        """What somebody types to sign in."""
        return RESIDENTS[name][1] if name in RESIDENTS else name


def signed_in(client: FlaskClient, db: Database, user: User, now: datetime) -> None:
    """Give a browser the cookie that it would have after signing in; the audit does not hear of it."""
    token = secrets.token_urlsafe(32)
    with db.write() as session:
        session.add(
            SignInSession(
                user_id=user.id,
                digest=digest_of(token),
                method="password+code",
                created_at=now,
                last_seen_at=now,
            )
        )
    with client.session_transaction() as cookie:
        cookie["_user_id"] = user.fs_uniquifier
        cookie["_fresh"] = True
        cookie[TOKEN] = token
        cookie[CONFIRMED] = int(now.timestamp())


@dataclass
class Person:
    """A browser without a screen: keeps cookies, reads the CSRF token off the page before it posts."""

    client: FlaskClient
    language: str = "en"
    token: str = ""

    def _headers(self) -> dict[str, str]:
        return {"Accept-Language": {"en": "en", "zh_Hans_CN": "zh-CN"}[self.language]}

    def get(self, path: str, **options: Any) -> TestResponse:
        answer = self.client.get(
            path, headers={**self._headers(), **options.pop("headers", {})}, **options
        )
        if answer.mimetype == "text/html":
            found = re.search(r'name="csrf-token" content="([^"]+)"', answer.text)
            self.token = found[1] if found else self.token
        return answer

    def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        if not self.token:
            self.get("/sign-in/help")
        return self.client.post(
            path,
            data={"csrf_token": self.token, **(data or {})},
            headers={**self._headers(), **options.pop("headers", {})},
            **options,
        )

    def sign_in(self, name: str, password: str = PASSWORD, path: str = "/sign-in") -> TestResponse:
        return self.post(path, {"identity": name, "password": password})


def identity_number(first17: str) -> str:
    """A valid resident identity number."""
    return resident_id_with_check(first17)


def _region(session: Session, parent: Region | None, level: Level, code: str, name: str) -> Region:
    region = Region(
        parent_id=parent.id if parent else None, level=level, code=code, name=name, path=""
    )
    session.add(region)
    session.flush()
    region.path = f"{parent.path if parent else '/'}{region.id}/"
    return region


def _houses(session: Session, community: Region) -> list[Dwelling]:
    made = []
    for b in (1, 2):
        building = Building(community_id=community.id, name=f"{b}号楼", position=b)
        session.add(building)
        session.flush()
        for u in (1, 2):
            unit = Unit(building_id=building.id, name=f"{u}单元", position=u)
            session.add(unit)
            session.flush()
            for floor in (1, 2):
                for door in (1, 2):
                    made.append(
                        Dwelling(
                            community_id=community.id,
                            unit_id=unit.id,
                            floor=floor,
                            number=f"{floor}0{door}",
                        )
                    )
    session.add_all(made)
    session.flush()
    return made


def entered(
    session: Session, *, name: str, phone: str, number: str, dwelling_id: int, password_hash: str
) -> Registration:
    """What a person entered, with the consent text in force."""
    text = current_text(session, REGISTRATION, "zh_Hans_CN")
    assert text is not None
    return Registration(
        name=name,
        phone=phone,
        document_type=DocumentType.RESIDENT_ID,
        document_number=number,
        password_hash=password_hash,
        dwelling_id=dwelling_id,
        relation=Relation.OWNER,
        consent_text_id=text.id,
        consent_at=NOW - timedelta(days=2),
    )


def build(folder: Path) -> dict[str, int]:
    """Build the town in a data folder; returns ids by name."""
    config = Config(data_dir=folder)
    db = Database(config.effective_database_url)
    migrate.upgrade(db)
    install_keys(config, db)
    ids: dict[str, int] = {}
    begun = NOW - timedelta(days=2)
    password = hash_password(PASSWORD)
    with db.write() as session:
        publish_defaults(session, begun)
        county = _region(session, None, Level.COUNTY, "110105000000", "朝阳区")
        township = _region(session, county, Level.TOWNSHIP, "110105001000", "安和街道")
        places = {"county": county, "township": township}
        for name, code, title, uscc in (
            ("community", "110105001001", "翠湖社区", USCC),
            ("other", "110105001002", "东苑社区", OTHER_USCC),
        ):
            place = _region(session, township, Level.COMMUNITY, code, title)
            place.uscc, place.key = uscc, f"{name}-1"
            places[name] = place
            homes = _houses(session, place)
            ids[f"{name}:dwelling"] = homes[0].id
            ids[f"{name}:unit"] = homes[0].unit_id
            ids[f"{name}:building"] = homes[0].unit.building_id
        ids.update({name: place.id for name, place in places.items()})
        for name, (role, where) in STAFF.items():
            user = create_staff(
                session,
                username=name,
                password=PASSWORD,
                roles=[(role, places[where].id)],
                now=begun,
                totp_secret=TOTP,
            )
            ids[f"user:{name}"] = user.id
        secure = create_staff(
            session,
            username="secure",
            password=PASSWORD,
            roles=[(Role.WORKER, places["community"].id)],
            now=begun,
            totp_secret=TOTP,
        )
        ids["user:secure"] = secure.id
    deciders = {}
    with db.read() as session:
        for name in ("worker", "distant"):
            user_found = load_user(session, User.id == ids[f"user:{name}"])
            assert user_found is not None
            deciders[name] = actor_of(user_found)
    with db.write() as session:
        for name, (title, phone, first17, verdict) in RESIDENTS.items():
            where = "other" if name == "neighbour" else "community"
            resident = register(
                session,
                ids[where],
                entered(
                    session,
                    name=title,
                    phone=phone,
                    number=identity_number(first17),
                    dwelling_id=ids[f"{where}:dwelling"],
                    password_hash=password,
                ),
                begun,
            )
            ids[name] = resident.id
            ids[f"user:{name}"] = session.scalars(
                select(User.id).where(User.resident_id == resident.id)
            ).one()
            if verdict != "wait":
                decide(
                    session,
                    deciders["distant" if where == "other" else "worker"],
                    resident.id,
                    approve=verdict == "approve",
                    note="" if verdict == "approve" else "房号与户口不符",
                    now=begun,
                )
    db.close()
    return ids


def open_town(template: Path, folder: Path, ids: dict[str, int]) -> Town:
    """A copy of a built town, for one test."""
    shutil.copytree(template, folder)
    config = Config(data_dir=folder)
    db = Database(config.effective_database_url)
    install_keys(config, db)
    return Town(config=config, db=db, clock=Moment(), ids=dict(ids))


def resident_row(town: Town, name: str) -> Resident:
    """A resident's row as it stands now."""
    with town.db.read() as session:
        row = session.get(Resident, town.ids[name])
        assert row is not None
        return row


TownMaker = Callable[[], Town]
