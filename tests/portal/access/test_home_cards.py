"""The last passage on the resident's home."""

from __future__ import annotations

from portal.access.models import Outcome, Passage
from tests.portal.village import People
from tests.portal.world import World


def went_through(world: World, outcome: Outcome, event: str) -> None:
    with world.db.write() as session:
        session.add(
            Passage(
                event_id=event,
                device_id=world.devices["main"],
                gate_id=world.gates["main"],
                community_id=world.regions["spring"],
                resident_id=world.residents["resident"],
                direction="in",
                scanned_at=world.clock(),
                decided_at=world.clock(),
                outcome=outcome.value,
                reason="ok" if outcome is Outcome.ALLOW else "replayed",
            )
        )


def test_the_last_passage_stands_at_home_and_nobody_elses(world: World, people: People) -> None:
    client = people.client("resident")
    assert "Last passages" not in client.get("/home").text
    went_through(world, Outcome.ALLOW, "one")
    assert "南门, 2 Mar 2026, 16:00: let through" in client.get("/home").text
    went_through(world, Outcome.REFUSE, "two")
    assert "南门, 2 Mar 2026, 16:00: refused" in client.get("/home").text
    assert "Nothing waits for you." in client.get("/home").text
    assert "Last passages" not in people.client("neighbour").get("/home").text
