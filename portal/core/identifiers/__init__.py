"""Identifiers people and bodies carry: checked, normalised, masked. Pure functions, no I/O.

Every checker takes what somebody typed and returns a `Checked`; none raises on bad input.
"""

from portal.core.identifiers.checked import Checked, Kind, Reason
from portal.core.identifiers.masking import mask_id, mask_name, mask_phone, mask_plate, write_plate
from portal.core.identifiers.messages import sentence
from portal.core.identifiers.phone import check_phone
from portal.core.identifiers.plate import PlateClass, check_plate
from portal.core.identifiers.resident_id import Sex, check_resident_id, resident_id_with_check
from portal.core.identifiers.uscc import check_uscc, uscc_with_check

__all__ = [
    "Checked",
    "Kind",
    "PlateClass",
    "Reason",
    "Sex",
    "check_phone",
    "check_plate",
    "check_resident_id",
    "check_uscc",
    "mask_id",
    "mask_name",
    "mask_phone",
    "mask_plate",
    "resident_id_with_check",
    "sentence",
    "uscc_with_check",
    "write_plate",
]
