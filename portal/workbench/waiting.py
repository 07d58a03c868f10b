"""How much waits, for the navigation: see :mod:`portal.web.navigation`."""

from __future__ import annotations

from typing import Final

from portal.workbench.queue import total

COUNTS: Final = {"workbench.index": total}
