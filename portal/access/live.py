"""What happens at gates, for pages that hear of it at once: see :mod:`portal.core.live`."""

from __future__ import annotations

from typing import Final

from portal.access.models import Outcome, Passage
from portal.core.live import Probe, newest

PROBES: Final = (Probe("refusals", newest(Passage.id, Passage.outcome == Outcome.REFUSE.value)),)
