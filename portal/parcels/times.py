"""How long each step of a parcel may take."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

COMMAND_LIFE: Final = timedelta(seconds=15)
"""How long a locker may still carry out a command to open."""
OPEN_WITHIN: Final = timedelta(seconds=25)
"""A door that has not reported by then has not opened: :data:`COMMAND_LIFE` and the way back."""
CLOSE_WITHIN: Final = timedelta(minutes=3)
"""A door that stands open longer is asked to be closed, and staff are told."""
RESERVATION: Final = timedelta(minutes=10)
"""How long a courier may take between two steps."""
FETCH_WITHIN: Final = timedelta(hours=48)
"""A parcel that waits longer is overdue."""
EXTENSION: Final = timedelta(hours=24)
"""What one extension adds, free of charge."""
MOST_EXTENSIONS: Final = 2
REMIND_EVERY: Final = timedelta(hours=24)
MOST_REMINDERS: Final = 3
STAFF_AFTER: Final = timedelta(hours=72)
"""So long after it was due, a parcel becomes a matter for staff."""
MEAL_LIFE: Final = timedelta(minutes=45)
"""A meal that was announced clears by itself."""
ACCESS_LIFE: Final = timedelta(hours=12)
LONGEST_ACCESS: Final = timedelta(days=30)
HISTORY: Final = timedelta(days=90)
"""How long a resident sees parcels that have gone."""
