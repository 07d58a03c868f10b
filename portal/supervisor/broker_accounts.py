"""Which accounts the broker has to know: our services, and every device that is enrolled and not retired."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import select

from mqtt.broker.accounts import BrokerAccount, Service, device_rules
from mqtt.broker.credentials import Credential, service_accounts
from mqtt.broker.files import read_private
from mqtt.contract.topics import DeviceAddress
from portal.core.db import Database
from portal.models import Device, Region

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
            rows = session.execute(
                select(Region.key, Device.key, Device.mqtt_username, Device.mqtt_password)
                .join(Region, Region.id == Device.community_id)
                .where(Device.retired_at.is_(None), Region.key.is_not(None))
                .order_by(Device.id)
            ).all()
        return [
            *self._services,
            *(
                BrokerAccount(
                    username=username,
                    password_hash=password,
                    rules=device_rules(DeviceAddress(str(community), device)),
                    password=known.get(username),
                )
                for community, device, username, password in rows
            ),
        ]

    def _passwords(self) -> dict[str, str]:
        """Passwords of virtual devices, for a broker that keeps no hashes."""
        try:
            document = json.loads(read_private(self._simulated))
            return {str(d["username"]): str(d["password"]) for d in document["devices"]}
        except (OSError, ValueError, KeyError, TypeError):
            return {}
