"""Every table, imported in one place: what migrations compare with and processes load."""

from portal.access.models import Gate, Passage, PassageReview
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
from portal.devices.models import Device, DeviceEvent, DeviceFault
from portal.notices.models import (
    Notice,
    NoticeFile,
    NoticePlace,
    NoticeReceipt,
    NoticeRevision,
)
from portal.parcels.models import (
    Arrival,
    Compartment,
    CourierAccess,
    Opening,
    Parcel,
    PickupCode,
)
from portal.passes.models import Pass, SigningKeyRow
from portal.privacy.models import Consent, ConsentText
from portal.regions.models import (
    Building,
    Dwelling,
    Region,
    RegionHistory,
    RegionSetting,
    RegionUpload,
    Unit,
)
from portal.residents.models import Residency, Resident
from portal.telecare.alarm_models import Alarm, AlarmEntry, AlarmNotice, DeviceTrouble
from portal.telecare.models import Contact, Shift, TelecareSettings, Wearer
from portal.vehicles.models import Vehicle
from portal.visitors.models import Invitation
from portal.workbench.models import WorkClaim, WorkDecision

metadata = Base.metadata

__all__ = [
    "Alarm",
    "AlarmEntry",
    "AlarmNotice",
    "ApiToken",
    "Arrival",
    "AuditEntry",
    "AuditSeal",
    "Building",
    "Compartment",
    "Consent",
    "ConsentText",
    "Contact",
    "CourierAccess",
    "DataKey",
    "Device",
    "DeviceEvent",
    "DeviceFault",
    "DeviceTrouble",
    "Dwelling",
    "FaultCount",
    "Gate",
    "Invitation",
    "LockOut",
    "Notice",
    "NoticeFile",
    "NoticePlace",
    "NoticeReceipt",
    "NoticeRevision",
    "Opening",
    "OutboxMessage",
    "Parcel",
    "Pass",
    "Passage",
    "PassageReview",
    "Passkey",
    "PasskeyChallenge",
    "PhoneCode",
    "PickupCode",
    "QuarantinedMessage",
    "RecoveryCode",
    "Region",
    "RegionHistory",
    "RegionSetting",
    "RegionUpload",
    "Residency",
    "Resident",
    "RoleGrant",
    "Shift",
    "SignInSession",
    "SigningKeyRow",
    "StaffInvitation",
    "TelecareSettings",
    "Unit",
    "User",
    "Vehicle",
    "Wearer",
    "WorkClaim",
    "WorkDecision",
    "metadata",
]
