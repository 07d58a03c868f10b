"""Which accounts the broker has to know: our services, and every device that is enrolled and not retired."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from mqtt.broker.accounts import BrokerAccount, Service, device_rules
from mqtt.broker.credentials import Credential, service_accounts
from mqtt.broker.files import read_private
from portal.core.db import Database
from portal.devices.enrolment import broker_accounts

SIMULATED_FILE = "simulated-devices.json"


class Accounts:
    """Collects the accounts; hashes of our services' passwords are made once."""

    def __init__(
        self, database: Database, credentials: Mapping[Service, Credential], data_dir: Path
    ) -> None:
        self._database = database
        self._services = service_accounts(credentials)
        self._simulated = data_dir / SIMULATED_FILE

    def collect(self) -> list[BrokerAccount]:
        """All accounts, as the database has them now.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database does not answer.
        """
        known = self._passwords()
        with self._database.read() as session:
            devices = list(broker_accounts(session))
        return [
            *self._services,
            *(
                BrokerAccount(
<<<<<<< HEAD
                    username=device.username,
                    password_hash=device.password_hash,
                    rules=device_rules(device.address),
                    password=known.get(device.username),
=======
                    username=username,
                    password_hash=password,
                    rules=device_rules(DeviceAddress(str(community), device)),
                    password=known.get(username),
>>>>>>> main
                )
                for device in devices
            ),
        ]

    def _passwords(self) -> dict[str, str]:
        """Passwords of virtual devices, for a broker that keeps no hashes."""
        try:
            document = json.loads(read_private(self._simulated))
            return {str(d["username"]): str(d["password"]) for d in document["devices"]}
        except (OSError, ValueError, KeyError, TypeError):
            return {}
