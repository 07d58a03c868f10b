"""Who comes to the gates: visitors with one-time codes, residents with rotating ones, people without."""

import random
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from portal.access.models import Gate, GateKind
from portal.core.clock import utc_now
from portal.devices.models import Device
from portal.passes.operations import issue_resident_pass, issue_visitor_pass, show_code
from portal.residents.models import Residency
from tests.fault.running import Running
from tests.fault.stream import Showing


@dataclass
class People:
    """Who comes: one-time codes and rotating ones, dealt out by a seeded draw."""

    rng: random.Random
    gates: list[str]
    one_time: list[tuple[str, str]]
    rotating: list[str]

    def __post_init__(self) -> None:
        self.used: list[str] = []
        self._visitors = iter(self.one_time)
        self._residents = iter(self.rotating)

    def following(self) -> list[Showing]:
        """A visitor at two gates at once; or a resident's code at one gate twice, or no pass at all."""
        drawn = self.rng.random()
        if drawn < 0.6:
            pass_id, code = next(self._visitors)
            self.used.append(pass_id)
            return [(gate, code) for gate in self.rng.sample(self.gates, 2)]
        gate = self.rng.choice(self.gates)
        if drawn < 0.95:
            code = next(self._residents)
            return [(gate, code), (gate, code)]
        return [(gate, "LL1:" + self.rng.choice(("", "NCFOX", "not a pass")))]


def people(system: Running, rng: random.Random, number: int) -> People:
    """Invite so many visitors, and sign as many codes of residents, for the gates that every pass opens."""
    now = utc_now()
    with system.db.write() as session:
        gates = list(
            session.scalars(
                select(Device.key)
                .join(Gate, Gate.device_id == Device.id)
                .where(Gate.kind == GateKind.COMMUNITY)
                .order_by(Device.key)
            )
        )
        homes = session.scalars(select(Residency).limit(10)).all()
        visitors = [
            issue_visitor_pass(
                session,
                resident_id=home.resident_id,
                dwelling_id=home.dwelling_id,
                valid_from=now,
                valid_until=now + timedelta(hours=2),
                now=now,
            ).id
            for home in (rng.choice(homes) for _ in range(number))
        ]
        own = [issue_resident_pass(session, h.resident_id, h.dwelling_id, now).id for h in homes]
        one_time = [(one, show_code(session, one, now, 60).token) for one in visitors]
        rotating = [show_code(session, rng.choice(own), now, 3600).token for _ in range(number)]
    return People(rng, gates, one_time, rotating)
