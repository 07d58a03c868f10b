"""All checks in order, each guarded: one that breaks is a finding, not the end."""

from __future__ import annotations

from collections.abc import Callable

from mqtt.broker.embedded import BrokerMissingError, plan
from portal.config import Config
from portal.doctor import machine, processes, stores
from portal.doctor.findings import Finding, fail, ok, warn


def examine(config: Config) -> list[Finding]:
    """Look at everything; takes a few seconds at most where something does not answer."""
    told = processes.running(config)
    up = told is not None
    stored = stores.Stored(config)
    checks: list[tuple[str, Callable[[], Finding]]] = [
        ("python", machine.python),
        ("libzbar", machine.libraries),
        ("broker program", lambda: broker_program(config)),
        ("data folder", lambda: machine.data_folder(config)),
        ("database", stored.connection),
        ("migrations", stored.migrations),
        ("clock", lambda: machine.clock(config, stored.newest_moment())),
        ("linli up", lambda: processes.supervisor(told)),
        ("broker", lambda: processes.broker(config, up=up)),
        ("ingest", lambda: processes.ingest(config, up=up)),
        ("worker", lambda: processes.worker(config, up=up)),
        ("web", lambda: processes.web(config, up=up)),
        ("telemetry store", lambda: stores.telemetry(config)),
        ("outbox", stored.outbox),
        ("quarantine (worker)", stored.bad_messages),
        ("quarantine (ingest)", lambda: stores.ingest_quarantine(config)),
    ]
    needs_database = {"migrations", "outbox", "quarantine (worker)"}
    findings = []
    try:
        for part, check in checks:
            if part in needs_database and stored.problem:
                continue
            findings.append(_guarded(part, check))
    finally:
        stored.close()
    return findings


def broker_program(config: Config) -> Finding:
    """Which broker `linli up` would start, and what it lacks."""
    part = "broker program"
    if not config.embedded_broker:
        return ok(part, "none needed: LINLI_MQTT_URL names a broker")
    choice = config.broker
    try:
        chosen = plan(
            config.data_dir,
            "mosquitto" if choice == "mosquitto" else "iotcore" if choice == "iotcore" else "auto",
        )
    except BrokerMissingError as error:
        return fail(part, str(error), "install mosquitto, or set LINLI_BROKER=auto")
    if chosen.lacks:
        return warn(
            part,
            f"{chosen.label}: {'; '.join(chosen.lacks)}",
            "install mosquitto (apt-get install mosquitto) before real devices connect",
        )
    return ok(part, chosen.label)


def _guarded(part: str, check: Callable[[], Finding]) -> Finding:
    try:
        return check()
    except Exception as error:  # noqa: BLE001 - the other checks still have something to say
        return fail(
            part, f"the check itself failed: {error!r}", "this is a fault in Linli: report it"
        )
