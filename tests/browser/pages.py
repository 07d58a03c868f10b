"""All addresses of the portal that a browser can open, and what stands for their arguments.

A rule whose argument the table does not name fails the walk, so that a new page is looked at too.
"""

import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import product

from flask import Flask
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session
from werkzeug.routing import Rule

from mqtt.contract.messages import Alarm as Pressed
from mqtt.contract.topics import DeviceAddress
from portal import config as configuration
from portal.access.models import Outcome, Passage
from portal.accounts import staff
from portal.accounts.datastore import load_user
from portal.accounts.identity import sign_in_hash
from portal.accounts.models import Invitation as StaffInvitation
from portal.accounts.models import User
from portal.accounts.session import actor_of
from portal.app import create_app
from portal.core.clock import utc_now
from portal.core.db import Database
from portal.core.identifiers import mask_plate, write_plate
from portal.core.keys import install_keys
from portal.core.permissions import SYSTEM, Actor
from portal.devices.models import Device, DeviceFault
from portal.devices.operations import ReceivedEvent
from portal.notices.models import Notice
from portal.parcels import codes, couriers, shelf
from portal.parcels.models import Parcel
from portal.parcels.recipients import Recipient
from portal.regions import uploads
from portal.regions.models import Building, Dwelling, Region, RegionHistory, Unit
from portal.regions.uploads import UploadKind
from portal.residents.models import Resident, ResidentState
from portal.services import Services
from portal.telecare import operations as alarms
from portal.telecare import timers
from portal.telecare.alarm_models import Alarm
from portal.telecare.intake import record_alarms
from portal.telecare.models import Contact, Wearer
from portal.vehicles.models import Vehicle
from portal.visitors import operations as visitors
from portal.visitors.models import Invitation
from portal.workbench.sources import sources
from tests.browser.registering import NAME
from tests.services.up import Up

NOT_PAGES = {
    "static",
    "health.healthz",
    "health.readyz",
    "access.newer",
    "workbench.list_",
    "workbench.events",
    "passes.code",
    "passes.offline_code",
    "shell.manifest",
    "shell.worker",
    "visitors.state",
    "devices.commands",
    "parcels.one_state",
    "parcels.link_state",
    "parcels.courier_state",
    "devices.telemetry",
    "notices.reach",
    "notices.file",
    "notices.public_file",
    "regions.children",
    "regions.faults_file",
    "residents.poster_file",
    "styleguide.telemetry",
    "telecare.live",
    "telecare.alarm_live",
    "telecare.care_live",
    "telecare.report_csv",
}
"""Answers for machines and for scripts of pages; so is everything below /api/."""
ALSO = {
    "residents.begin": ("?read=1",),
    "residents.queue": ("?state=approved", "?state=approved&page=2", "?state=refused"),
    "visitors.queue": ("?show=closed",),
    "vehicles.queue": ("?state=verified", "?state=refused", "?state=removed"),
    "notices.mine": ("?show=earlier",),
    "notices.index": ("?state=draft", "?state=scheduled", "?state=withdrawn", "?state=expired"),
    "notices.households": ("?show=done", "?show=partly&building=1"),
    "accounts.audit_log": ("?action=sign_in", "?actor=nobody", "?before=2"),
    "access.log": ("?outcome=refuse", "?gate=999999", "?before=1"),
    "devices.index": ("?kind=thermometer",),
    "parcels.queue": ("?show=shelf", "?show=all"),
    "telecare.past": ("?show=cancelled", "?show=tested&page=2", "?show=suppressed"),
    "regions.index": ("?q=示范", "?q=zzz", "?q=x"),
    "devices.values": ("?measure=battery&range=7d",),
    "workbench.index": ("?whose=mine", "?only=visitors.invitation"),
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
            self.values |= self._parcels(session, up, resident)
            self._alarms(session)
            self.values["alarm_id"] = list(
                session.scalars(select(func.max(Alarm.id)).group_by(Alarm.state))
            )
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
            "code": [community.code, community.code[:6] + "000000"],
            "upload": self._upload(session),
            "device_id": list(session.scalars(select(func.min(Device.id)).group_by(Device.kind))),
            "resident_id": list(
                session.scalars(select(func.min(Resident.id)).group_by(Resident.state))
            ),
            "invitation_id": [invitation.id for invitation in invitations],
            "vehicle_id": list(
                session.scalars(select(func.min(Vehicle.id)).group_by(Vehicle.state))
            ),
            "dwelling_id": [session.scalar(select(func.min(Dwelling.id)))],
            "building_id": [session.scalar(select(func.min(Building.id)))],
            "token": [
                *(invitation.link_token for invitation in invitations),
                staff.invite(session, SYSTEM, community.id, "王女士，门岗", utc_now()).token,
            ],
            "user_id": list(
                session.scalars(select(User.id).where(User.username.in_(["worker", "auditor"])))
            ),
            **self._work(session, invitations[0]),
        }

    @staticmethod
    def _work(session: Session, waiting: Invitation) -> dict[str, list[object]]:
        """An item of each kind; what fits no kind is one more page that is not found."""
        pending = select(func.min(Resident.id)).where(Resident.state == ResidentState.PENDING)
        refused = select(func.min(Passage.id)).where(Passage.outcome == Outcome.REFUSE)
        return {
            "kind": [source.kind for source in sources()],
            "item_id": sorted(
                {
                    waiting.id,
                    session.scalar(pending),
                    session.scalar(refused),
                    session.scalar(select(func.min(DeviceFault.id))),
                }
                - {None}
            ),
            "notice_id": list(session.scalars(select(Notice.id).order_by(Notice.id))),
            "wearer_id": [session.scalars(select(func.min(Wearer.id))).one()],
            "contact_id": [session.scalars(select(func.min(Contact.id))).one()],
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

    def _parcels(self, session: Session, up: Up, resident: str) -> dict[str, list[object]]:
        """The demo's own parcel of the resident, and one that the courier has just laid on the shelf."""
        now = utc_now()
        code = json.loads((up.data / "demo.json").read_text("utf-8"))["courier_code"]
        courier = couriers.sign_in(session, code, now)
        host = session.get_one(Resident, self._actor_id(session, resident))
        home = host.residency
        assert home is not None
        to_whom = Recipient(host.id, home.dwelling_id, "", "", "")
        own = session.scalars(select(Parcel).where(Parcel.resident_id == host.id)).all()
        shelved = shelf.put(
            session, courier.actor, host.community, to_whom, "B-2", now, courier_id=courier.id
        )
        mine = next(p.id for p in own if p.state == "stored")
        return {
            "parcel_id": [mine, shelved.id],
            "number": [2, 4],
            "pickup_token": [code.token for code in codes.of_parcel(session, mine)],
            "courier_code": [code],
        }

    def _actor_id(self, session: Session, resident: str) -> int:
        found = self._actor(session, User.sign_in_hash == sign_in_hash(resident)).resident_id
        assert found is not None
        return found

    def _alarms(self, session: Session) -> None:
        """One that rings at the resident's, and one that the worker has taken.

        Pressed twice: the buttons have only just started.
        """
        now = utc_now()
        for key in ("alarm-5", "alarm-3"):
            pressed = Pressed(id=f"walked-{key}", at=now, action="pressed", presses=2)
            event = ReceivedEvent(DeviceAddress("linli-demo", key), pressed, now)
            record_alarms(session, [event], now)
        later = now + timedelta(minutes=1)
        for alarm_id in timers.due(session, later):
            timers.advance(session, alarm_id, later)
        taken = (
            select(Alarm.id).join(Device).where(Device.key == "alarm-3", Alarm.state == "raised")
        )
        worker = self._actor(session, User.username == "worker")
        alarms.acknowledge(session, worker, session.scalars(taken).one(), now)

    def _upload(self, session: Session) -> list[object]:
        """Files of regions: one with faults, and one that could be applied."""
        owner = self._actor(session, User.username == "sysadmin")
        files = (
            "代码,名称\n990101001001,=1+1\n9901,短\n",
            "代码,名称\n990101001001,示范社区\n990101002,新街道\n",
        )
        return [
            uploads.keep(session, owner, UploadKind.REGIONS, text.encode(), utc_now()).token
            for text in files
        ]

    @staticmethod
    def _actor(session: Session, condition: ColumnElement[bool]) -> Actor:
        found = load_user(session, condition)
        assert found is not None
        return actor_of(found)


def _proper_names(session: Session) -> list[str]:
    """Names of places and people: they stay Chinese on English pages. The longest come first."""
    vehicles = session.scalars(select(Vehicle)).all()
    names = {
        *(write_plate(vehicle.plate) for vehicle in vehicles),
        *(mask_plate(vehicle.plate) for vehicle in vehicles),
        *(vehicle.brand for vehicle in vehicles),
        *(vehicle.decision_note for vehicle in vehicles),
        *session.scalars(select(Region.name)),
        *session.scalars(select(RegionHistory.from_name)),
        *session.scalars(select(RegionHistory.reason)),
        *session.scalars(select(Building.name)),
        *session.scalars(select(Unit.name)),
        *session.scalars(select(Device.title)),
        *(dwelling.label for dwelling in session.scalars(select(Dwelling))),
        *session.scalars(select(Resident.name)),
        *session.scalars(select(Invitation.visitor_name)),
        *session.scalars(select(Invitation.decision_note)),
        *session.scalars(select(Notice.withdrawn_reason)),
        *session.scalars(select(Notice.title)),
        *session.scalars(select(Notice.body)),
        NAME,
        *session.scalars(select(Contact.name)),
        *session.scalars(select(Wearer.health_notes)),
        *session.scalars(select(Wearer.entry_note)),
        *session.scalars(select(StaffInvitation.note)),
    }
    return sorted(filter(None, names), key=len, reverse=True)
