"""An old resident of the world with a button, three contacts and staff on duty.

::

    resident 李小明 wears "button"; contacts: 1 neighbour (resident), 2 an outside daughter by day only,
    3 somebody who never agreed; worker on duty; supervisor above
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from mqtt.contract.codec import decode_command
from mqtt.contract.messages import Alarm as Pressed
from mqtt.contract.messages import AlarmFeedback, Boot, Event
from mqtt.contract.topics import DeviceAddress
from portal.core.outbox import OutboxMessage
from portal.core.permissions import Actor, Role
from portal.devices.cache import DeviceCache
from portal.devices.operations import ReceivedEvent, record_events
from portal.telecare import operations, timers
from portal.telecare.alarm_models import Alarm, AlarmEntry, AlarmNotice
from portal.telecare.intake import record_alarms
from portal.telecare.models import Contact, Shift, Wearer
from tests.portal.world import World

BUTTON = DeviceAddress("spring", "button-1")
NOTES = "糖尿病，青霉素过敏"
ENTRY = "钥匙在 102 赵家"
DAUGHTER = "周海燕"
DAUGHTER_PHONE = "13900009999"


@dataclass
class Ward:
    """What was laid out, and short ways to let things happen."""

    world: World
    wearer: int = 0
    contacts: dict[str, int] = field(default_factory=dict)

    def hear(self, *events: Event) -> None:
        """Let the worker handle events as one batch."""
        now = self.world.clock()
        received = [ReceivedEvent(BUTTON, event, now) for event in events]
        with self.world.db.write() as session:
            record_events(session, received, DeviceCache(max_age=0))
            record_alarms(session, received, now)

    def pressed(self, action: str = "pressed", **fields: Any) -> Pressed:
        values: dict[str, Any] = {"id": uuid4().hex, "at": self.world.clock(), "action": action}
        return Pressed(**(values | fields))

    def press(self, **fields: Any) -> None:
        self.hear(self.pressed(**fields))

    def cancel(self) -> None:
        self.hear(self.pressed("cancelled"))

    def boot(self) -> None:
        self.hear(Boot(id=uuid4().hex, at=self.world.clock(), firmware="1", cause="power"))

    def wait(self, seconds: float) -> None:
        """Let time pass with the worker's timers running every second of it that matters."""
        end = self.world.clock() + timedelta(seconds=seconds)
        while (due := self.next_due()) is not None and due <= end:
            self.world.clock.now = max(self.world.clock.now, due)
            self.run_timers()
        self.world.clock.now = end

    def next_due(self) -> Any:
        with self.world.db.read() as session:
            return session.scalar(
                select(Alarm.next_at)
                .where(Alarm.next_at.is_not(None))
                .order_by(Alarm.next_at)
                .limit(1)
            )

    def run_timers(self) -> int:
        """As the worker's job does it; how many went on."""
        now = self.world.clock()
        with self.world.db.read() as session:
            due = timers.due(session, now)
        moved = 0
        for alarm_id in due:
            with self.world.db.write() as session:
                moved += timers.advance(session, alarm_id, now)
        return moved

    def act(self, verb: str, actor: Actor, *rest: Any, alarm_id: int | None = None) -> None:
        with self.world.db.write() as session:
            number = alarm_id or self.alarm().id
            getattr(operations, verb)(session, actor, number, *rest, self.world.clock())

    @property
    def worker(self) -> Actor:
        return self.world.staff(Role.WORKER)

    @property
    def neighbour(self) -> Actor:
        return self.world.resident("neighbour")

    def alarms(self) -> list[Alarm]:
        with self.world.db.read() as session:
            return list(session.scalars(select(Alarm).order_by(Alarm.id)))

    def alarm(self) -> Alarm:
        return self.alarms()[-1]

    def told(self, alarm_id: int | None = None) -> list[tuple[int, str]]:
        """Step and person of every notice."""
        with self.world.db.read() as session:
            rows = session.scalars(
                select(AlarmNotice)
                .where(AlarmNotice.alarm_id == (alarm_id or self.alarm().id))
                .order_by(AlarmNotice.id)
            )
            return [(row.step, row.person) for row in rows]

    def steps(self) -> list[str]:
        with self.world.db.read() as session:
            return list(
                session.scalars(
                    select(AlarmEntry.kind)
                    .where(AlarmEntry.alarm_id == self.alarm().id)
                    .order_by(AlarmEntry.id)
                )
            )

    def feedback(self) -> list[tuple[str, str]]:
        """Event and state of everything the button was told."""
        with self.world.db.read() as session:
            rows = session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)).all()
        found = [decode_command(row.name, row.payload) for row in rows]
        return [(c.event, c.state) for c in found if isinstance(c, AlarmFeedback)]

    def person(self, name: str) -> str:
        """A person key: of a contact by its name here, or of staff by role."""
        if name in self.contacts:
            return f"contact:{self.contacts[name]}"
        return f"user:{self.world.users[name]}"


def open_ward(world: World) -> Ward:
    """Lay it out in the world's database."""
    ward = Ward(world)
    now = world.clock()
    with world.db.write() as session:
        wearer = Wearer(
            community_id=world.regions["spring"],
            resident_id=world.residents["resident"],
            device_id=world.devices["button"],
            hearing="hard",
            language="dialect",
            health_notes=NOTES,
            entry_note=ENTRY,
            created_at=now,
        )
        session.add(wearer)
        session.flush()
        ward.wearer = wearer.id
        plan: list[tuple[str, str | None, str, str, tuple[int, int], bool]] = [
            ("neighbour", "neighbour", "", "", (0, 0), True),
            ("daughter", None, DAUGHTER, DAUGHTER_PHONE, (7 * 60, 22 * 60), True),
            ("unasked", None, "郑未定", "13900008888", (0, 0), False),
        ]
        for position, (key, resident, name, phone, hours, agreed) in enumerate(plan, 1):
            contact = Contact(
                wearer_id=wearer.id,
                position=position,
                resident_id=world.residents[resident] if resident else None,
                name=name,
                phone=phone,
                tie="neighbour" if resident else "child",
                from_minute=hours[0],
                until_minute=hours[1],
                consent_how="spoken" if agreed else "",
                consent_at=now if agreed else None,
                created_at=now,
            )
            session.add(contact)
            session.flush()
            ward.contacts[key] = contact.id
        session.add(
            Shift(
                community_id=world.regions["spring"],
                user_id=world.users["worker"],
                starts_at=now - timedelta(hours=1),
                ends_at=now + timedelta(hours=8),
            )
        )
    return ward
