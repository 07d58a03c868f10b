"""``linli doctor``: looks at each part and says what to do. Changes nothing, works while nothing runs."""

from portal.doctor.examine import examine
from portal.doctor.findings import Finding, State

__all__ = ["Finding", "State", "examine"]
