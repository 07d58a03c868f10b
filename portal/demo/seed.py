"""Make the demo community: all in one transaction, with its files, or nothing at all."""

from __future__ import annotations

import json
import random
from contextlib import ExitStack
from typing import Any, Final

from mqtt.broker.files import write_private
from portal.config import Config
from portal.core import audit
from portal.core.clock import Clock, utc_now
from portal.core.db import Database
from portal.core.permissions import SYSTEM
from portal.demo.happenings import let_happen
from portal.demo.machines import enrol_machines
from portal.demo.notices import post_notices
from portal.demo.parcels import make_parcels
from portal.demo.people import invent, settle
from portal.demo.places import USCC, make_places
from portal.demo.regions import tell_regions
from portal.demo.sign_ins import as_json, open_residents, open_staff
from portal.demo.telecare import give_buttons
from portal.demo.vehicles import park
from portal.passes.signing import ensure_key
from portal.privacy.operations import current_text, publish_defaults
from portal.privacy.texts import REGISTRATION

ACCOUNTS_FILE: Final = "demo-accounts.json"
DEVICES_FILE: Final = "simulated-devices.json"
FACTS_FILE: Final = "demo.json"
SEED: Final = 2026


def seed(config: Config, database: Database, *, number: int = SEED, clock: Clock = utc_now) -> None:
    """Fill an empty database and write sign-ins and devices into the data folder (mode 0600).

    Places, people and devices are the same for the same ``number`` and day; secrets never are. The
    files are written before the commit: a crash in between leaves an empty database, which the next
    start fills again, writing the files anew.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database refuses; no file is left behind.
        OSError: a file cannot be written; the database stays empty.
    """
    rng = random.Random(number)
    now = clock()
    with ExitStack() as on_failure, database.write() as session:
        places = make_places(session)
        tell_regions(session, places, now)
        publish_defaults(session, now)
        text = current_text(session, REGISTRATION, "zh_Hans_CN")
        if text is None:
            raise RuntimeError("there is no consent text for registration")
        ensure_key(session, now)
        people = invent(rng, len(places.dwellings), now.date())
        residents = settle(session, people, places.community, places.dwellings, text, now)
        sign_ins = [
            *open_staff(session, places, now),
            *open_residents(session, people, residents, places, now),
        ]
        vehicles = park(session, people, residents, now)
        devices = enrol_machines(session, places, now)
        let_happen(session, residents, now)
        notices = post_notices(session, places, residents, random.Random(number), now)
        courier = make_parcels(session, people, residents, places, now)
        give_buttons(session, rng, people, residents, places, now)
        audit.record(
            session,
            SYSTEM,
            "demo.seed",
            ("region", places.community.id),
            path=places.community.path,
            residents=len(residents),
            vehicles=len(vehicles),
            devices=len(devices["devices"]),
            notices=notices,
        )
        facts = {
            "uscc": USCC,
            "community": places.community.name,
            "community_id": places.community.id,
            "key": places.community.key,
            "courier_code": courier,
        }
        for name, content in (
            (ACCOUNTS_FILE, as_json(sign_ins)),
            (DEVICES_FILE, devices),
            (FACTS_FILE, facts),
        ):
            _write(config, name, content)
            on_failure.callback(config.path(name).unlink, missing_ok=True)
        session.commit()
        on_failure.pop_all()


def _write(config: Config, name: str, content: Any) -> None:
    write_private(config.path(name), json.dumps(content, ensure_ascii=False, indent=2) + "\n")
