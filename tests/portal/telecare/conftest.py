"""The village, and a ward in it: somebody who wears a button, and people to be asked."""

from __future__ import annotations

import pytest

from tests.portal.telecare.ward import Ward, open_ward
from tests.portal.village import app, clock, db, laid_out, people, world
from tests.portal.world import World

__all__ = ["app", "clock", "db", "laid_out", "people", "ward", "world"]


@pytest.fixture
def ward(world: World) -> Ward:
    """A ward of one's own."""
    return open_ward(world)
