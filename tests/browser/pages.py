"""All addresses of the portal that a browser can open, and what stands for their arguments.

A rule whose argument the table does not name fails the walk, so that a new page is looked at too.
"""

from collections.abc import Iterator
from datetime import timedelta
from itertools import product

from flask import Flask
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from portal import config as configuration
from portal.accounts import staff
from portal.accounts.datastore import load_user
from portal.accounts.identity import sign_in_hash
from portal.accounts.models import Invitation as StaffInvitation
from portal.accounts.models import User
from portal.accounts.session import actor_of
from portal.app import create_app
from portal.core.clock import utc_now
from portal.core.db import Database
from portal.core.keys import install_keys
from portal.core.permissions import SYSTEM, Actor
from portal.devices.models import Device
from portal.regions.models import Building, Dwelling, Region, Unit
from portal.residents.models import Resident
from portal.services import Services
from portal.visitors import operations as visitors
from portal.visitors.models import Invitation
from tests.services.up import Up

NOT_PAGES = {
    "static",
    "health.healthz",
    "health.readyz",
    "access.newer",
    "passes.code",
    "visitors.state",
    "devices.commands",
    "devices.telemetry",
    "residents.poster_file",
    "styleguide.telemetry",
}
"""Answers for machines and for scripts of pages; so is everything below /api/."""
ALSO = {
    "residents.queue": ("?state=approved", "?state=approved&page=2", "?state=refused"),
    "visitors.queue": ("?show=closed",),
    "accounts.audit_log": ("?action=sign_in", "?actor=nobody", "?before=2"),
    "access.log": ("?outcome=refuse", "?gate=999999", "?before=1"),
    "devices.index": ("?kind=thermometer",),
    "devices.values": ("?measure=battery&range=7d",),
}
"""Further looks of a page."""
ERRORS = ("/nothing-here", "/v/no-such-token", "/r/not-a-code")


class Places:
    """What there is in the running demo."""

    def __init__(self, up: Up, resident: str) -> None:
        ours = {k: v for k, v in up.environment.items() if k.startswith("LINLI_")}
        config = configuration.load(ours)[0]
        self._db = Database(config.effective_database_url)
        install_keys(config, self._db)
        self.app: Flask = create_app(Services(config=config, db=self._db))
        with self._db.write() as session:
            self.values = self._arguments(session, self._invite(session, resident))
        with self._db.read() as session:
            self.names = _proper_names(session)

    def close(self) -> None:
        """Let go of the database."""
        self._db.close()

    def rules(self) -> list[Rule]:
        """Everything that can be asked for with GET and is meant for people."""
        return sorted(
            (
                rule
                for rule in self.app.url_map.iter_rules()
                if "GET" in (rule.methods or ())
                and rule.endpoint not in NOT_PAGES
                and not rule.rule.startswith("/api/")
            ),
            key=str,
        )

    def without_values(self) -> list[str]:
        """Rules with an argument that the table does not name."""
        return [r.rule for r in self.rules() if not r.arguments <= set(self.values)]

    def addresses(self) -> Iterator[tuple[str, str]]:
        """Endpoint and address of every page, with every value of its arguments."""
        adapter = self.app.url_map.bind("localhost")
        for rule in self.rules():
            if not rule.arguments <= set(self.values):
                continue
            names = sorted(rule.arguments)
            for values in product(*(self.values[name] for name in names)):
                path = adapter.build(rule.endpoint, dict(zip(names, values, strict=True)))
                yield rule.endpoint, path
            for more in ALSO.get(rule.endpoint, ()):
                yield rule.endpoint, path + more
        yield from (("", path) for path in ERRORS)

    def _arguments(
        self, session: Session, invitations: list[Invitation]
    ) -> dict[str, list[object]]:
        community = session.scalars(select(Region).where(Region.key.is_not(None))).one()
        return {
            "uscc": [community.uscc],
            "community_id": [community.id],
            "device_id": list(session.scalars(select(func.min(Device.id)).group_by(Device.kind))),
            "resident_id": list(
                session.scalars(select(func.min(Resident.id)).group_by(Resident.state))
            ),
            "invitation_id": [invitation.id for invitation in invitations],
            "token": [
                *(invitation.link_token for invitation in invitations),
                staff.invite(session, SYSTEM, community.id, "王女士，门岗", utc_now()).token,
            ],
            "user_id": list(
                session.scalars(select(User.id).where(User.username.in_(["worker", "auditor"])))
            ),
        }

    def _invite(self, session: Session, resident: str) -> list[Invitation]:
        """Invitations that wait, are approved, refused and taken back."""
        now = utc_now()
        host = self._actor(session, User.sign_in_hash == sign_in_hash(resident))
        worker = self._actor(session, User.username == "worker")
        made = [
            visitors.invite(
                session,
                host,
                visitors.Draft(
                    "司马来客", f"139000000{n:02}", "friends", now, now + timedelta(days=1)
                ),
                now,
            )
            for n in range(4)
        ]
        _, approved, refused, cancelled = (invitation.id for invitation in made)
        visitors.approve(session, worker, approved, "", now)
        visitors.refuse(session, worker, refused, "请先电话联系", now)
        visitors.cancel(session, host, cancelled, now)
        return made

    @staticmethod
    def _actor(session: Session, condition: ColumnElement[bool]) -> Actor:
        found = load_user(session, condition)
        assert found is not None
        return actor_of(found)


def _proper_names(session: Session) -> list[str]:
    """Names of places and people: they stay Chinese on English pages. The longest come first."""
    names = {
        *session.scalars(select(Region.name)),
        *session.scalars(select(Building.name)),
        *session.scalars(select(Unit.name)),
        *session.scalars(select(Device.title)),
        *(dwelling.label for dwelling in session.scalars(select(Dwelling))),
        *session.scalars(select(Resident.name)),
        *session.scalars(select(Invitation.visitor_name)),
        *session.scalars(select(Invitation.decision_note)),
        *session.scalars(select(StaffInvitation.note)),
    }
    return sorted(filter(None, names), key=len, reverse=True)
