"""The village, for tests of pages; a bench on each engine, for what two do at once."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from portal.access.models import Outcome, Passage
from portal.accounts.models import User
from portal.app import create_app
from portal.config import Config
from portal.core.permissions import ROLE_PERMISSIONS, Actor, Grant, Role
from portal.passes.models import Pass
from portal.regions.models import Region
from portal.residents.models import Residency, Resident, ResidentState
from portal.services import Services
from portal.visitors import operations as visitors
from tests.portal.gatehouse import MAIN, NOW, Gatehouse
from tests.portal.village import app, clock, db, laid_out, people, world

__all__ = ["app", "clock", "db", "laid_out", "people", "world"]


@dataclass
class Bench:
    """A community with people who decide; everything is done inside a request, as sources need."""

    house: Gatehouse
    app: Flask
    users: dict[str, int] = field(default_factory=dict)
    now: datetime = NOW

    @contextmanager
    def write(self) -> Iterator[Session]:
        with self.app.test_request_context("/work"), self.house.db.write() as session:
            yield session

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self.app.test_request_context("/work"), self.house.db.read() as session:
            yield session

    def actor(self, name: str = "one", *roles: Role, region: str = "spring") -> Actor:
        """A member of staff; a worker unless roles are given."""
        path = f"/{self.house.communities[region]}/"
        grants = tuple(Grant(path, ROLE_PERMISSIONS[r], r) for r in roles or (Role.WORKER,))
        return Actor(label=f"user:{name}", user_id=self.users[name], grants=grants)

    def forward(self, delta: timedelta) -> None:
        """Let time pass."""
        self.now += delta
        self.house.now = self.now

    def registration(self) -> int:
        """The id of a resident who waits."""
        with self.house.db.write() as session:
            row = session.get_one(Resident, self.house.residents["201"])
            row.state, row.decided_at, row.decided_by = ResidentState.PENDING, None, None
            return row.id

    def invitation(self) -> int:
        """The id of an invitation that waits."""
        host = Actor(label="resident", resident_id=self.house.residents["101"])
        draft = visitors.Draft(
            "周访客", "13900001234", "friends", self.now, self.now + timedelta(hours=4)
        )
        with self.house.db.write() as session:
            return visitors.invite(session, host, draft, self.now).id

    def passage(
        self,
        reason: str = "revoked",
        *,
        pass_id: str | None = "a" * 32,
        outcome: Outcome = Outcome.REFUSE,
        resident: str | None = None,
    ) -> int:
        """The id of a passage at the main gate."""
        with self.house.db.write() as session:
            gate_id = self.house.gates[MAIN]
            count = session.query(Passage).count()
            row = Passage(
                event_id=f"event-{count:08}",
                device_id=1,
                gate_id=gate_id,
                community_id=self.house.communities["spring"],
                pass_id=pass_id,
                resident_id=self.house.residents[resident] if resident else None,
                direction="in",
                scanned_at=self.now,
                decided_at=self.now,
                outcome=outcome,
                reason=reason,
            )
            session.add(row)
            session.flush()
            return row.id

    def pass_of(self, pass_id: str | None) -> Pass:
        """A pass as it stands."""
        with self.house.db.read() as session:
            return session.get_one(Pass, pass_id)


@pytest.fixture
def bench(house: Gatehouse, tmp_path: Path) -> Bench:
    """A bench on each engine."""
    config = Config(data_dir=tmp_path, public_url="http://linli.test")
    made = Bench(house, create_app(Services(config=config, db=house.db, clock=lambda: house.now)))
    with house.db.write() as session:
        for position, name in enumerate(("one", "two", "three")):
            user = User(
                username=name,
                sign_in_hash=f"{position}" * 64,
                password="!",
                active=True,
                fs_uniquifier=f"{position}" * 64,
                created_at=NOW,
            )
            session.add(user)
            session.flush()
            made.users[name] = user.id
        for number in ("101", "201"):
            session.add(
                Residency(
                    resident_id=house.residents[number],
                    dwelling_id=house.dwellings[number],
                    relation="owner",
                    since=NOW.date(),
                )
            )
        assert session.query(Region).count() == 2
    return made
