"""Batteries of worn buttons, read from the telemetry store now and then.

On a thread of its own: a store on another machine may take its time, and gates must not wait for it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import structlog
from sqlalchemy.exc import SQLAlchemyError

from mqtt.contract.telemetry import BATTERY
from mqtt.telemetry import StoreUnavailable, StoreUrlError, TelemetryStore, open_store
from portal.services import Services
from portal.telecare import troubles

_log = structlog.get_logger(__name__)

EVERY_SECONDS: Final = 300.0
"""As often as a button reports its battery."""
FIRST_SECONDS: Final = 30.0


def read_batteries(services: Services, store: TelemetryStore) -> int:
    """Note the last value of every worn button; returns how many had one.

    Raises:
        StoreUnavailable: the store does not answer; sqlalchemy.exc.SQLAlchemyError: nor the database.
    """
    with services.db.read() as session:
        worn = troubles.worn_buttons(session)
    found = []
    for wearer_id, community, device in worn:
        value = store.last(community, device).get(BATTERY.key)
        if value is not None:
            found.append((wearer_id, value))
    if found:
        with services.db.write() as session:
            for wearer_id, value in found:
                troubles.note_battery(session, wearer_id, value.value, value.at)
    return len(found)


@contextmanager
def reading_batteries(services: Services) -> Iterator[None]:
    """Read them every few minutes while this lasts; with a store that cannot be opened, not at all.

    What presses and tests say of the battery counts all the same, and `linli doctor` names the fault.
    """
    stop = threading.Event()
    try:
        store = open_store(services.config.effective_telemetry_url)
    except StoreUrlError as error:
        _log.warning("batteries_unread", cause=type(error).__name__)
        yield
        return

    def run() -> None:
        wait = FIRST_SECONDS
        while not stop.wait(wait):
            wait = EVERY_SECONDS
            try:
                read_batteries(services, store)
            except (StoreUnavailable, SQLAlchemyError) as error:
                _log.warning("batteries_unread", cause=type(error).__name__)

    thread = threading.Thread(target=run, name="batteries", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=5)
        store.close()
