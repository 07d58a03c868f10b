"""Every table, imported in one place: what migrations compare with and processes load."""

from portal.access.models import Gate, Passage
from portal.accounts.models import (
    ApiToken,
    LockOut,
    Passkey,
    PasskeyChallenge,
    PhoneCode,
    RecoveryCode,
    RoleGrant,
    SignInSession,
    User,
)
from portal.accounts.models import Invitation as StaffInvitation
from portal.core.audit import AuditEntry, AuditSeal
from portal.core.db import Base
from portal.core.keystore import DataKey
from portal.core.outbox import OutboxMessage
from portal.core.quarantine import FaultCount, QuarantinedMessage
from portal.devices.models import Device, DeviceEvent
from portal.passes.models import Pass, SigningKeyRow
from portal.privacy.models import Consent, ConsentText
from portal.regions.models import Building, Dwelling, Region, Unit
from portal.residents.models import Residency, Resident
from portal.visitors.models import Invitation

metadata = Base.metadata

__all__ = [
    "ApiToken",
    "AuditEntry",
    "AuditSeal",
    "Building",
    "Consent",
    "ConsentText",
    "DataKey",
    "Device",
    "DeviceEvent",
    "Dwelling",
    "FaultCount",
    "Gate",
    "Invitation",
    "LockOut",
    "OutboxMessage",
    "Pass",
    "Passage",
    "Passkey",
    "PasskeyChallenge",
    "PhoneCode",
    "QuarantinedMessage",
    "RecoveryCode",
    "Region",
    "Residency",
    "Resident",
    "RoleGrant",
    "SignInSession",
    "SigningKeyRow",
    "StaffInvitation",
    "Unit",
    "User",
    "metadata",
]
