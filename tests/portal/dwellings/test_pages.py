"""Pages of a building and of a dwelling: each section as far as the role reaches, masked."""

from __future__ import annotations

from datetime import date

import pytest

from portal.access.models import Passage
from portal.residents.models import Residency
from tests.portal.vehicles.parking import verified
from tests.portal.village import People, app, clock, db, laid_out, people, world
from tests.portal.world import World

__all__ = ["app", "clock", "db", "laid_out", "people", "world"]


def passage(world: World, who: str, dwelling: str) -> None:
    with world.db.write() as session:
        session.add(
            Passage(
                event_id=f"{who}-{dwelling}",
                device_id=world.devices["main"],
                gate_id=world.gates["main"],
                community_id=world.regions["spring"],
                pass_kind="resident",
                resident_id=world.residents[who],
                dwelling_id=world.dwellings[dwelling],
                direction="in",
                scanned_at=world.clock(),
                decided_at=world.clock(),
                outcome="allow",
                reason="ok",
            )
        )


def page(world: World, people: People, who: str, dwelling: str = "101") -> str:
    return people.client(who).get(f"/work/dwellings/{world.dwellings[dwelling]}").text


def test_a_worker_sees_who_lives_there_vehicles_passages_and_devices(
    world: World, people: People
) -> None:
    verified(world)
    passage(world, "resident", "101")
    shown = page(world, people, "worker")
    for words in ("李*明", "Owner", "京A·1**45", "南门", "Let through", "101 报警按钮"):
        assert words in shown
    for secret in ("李小明", "12345"):
        assert secret not in shown
    other = page(world, people, "worker", "201")
    for words in ("李*明", "京A", "Let through"):
        assert words not in other
    assert "No vehicle is registered for it." in other


SEES = {
    "worker": {"Who lives here", "Last passages", "Devices of the building"},
    "gatekeeper": {"Last passages", "Devices of the building"},
    "manager": {"Last passages", "Devices of the building"},
    "support": {"Devices of the building"},
    "health_worker": {"Your role sees no more of this dwelling"},
}


@pytest.mark.parametrize("who", SEES)
def test_each_role_sees_its_sections(world: World, people: People, who: str) -> None:
    shown = page(world, people, who)
    every = set().union(*SEES.values())
    assert {words for words in every if f"<h2>{words}</h2>" in shown} == SEES[who]


def test_whoever_moved_out_or_was_refused_does_not_live_there(world: World, people: People) -> None:
    assert "钱*" not in page(world, people, "worker", "102")
    assert "赵*" in page(world, people, "worker", "102")
    with world.db.write() as session:
        home = session.query(Residency).filter_by(resident_id=world.residents["pending"]).one()
        home.until = date(2026, 2, 1)
    assert "Nobody is registered here." in page(world, people, "worker", "102")


@pytest.mark.parametrize(
    ("who", "status"), [(None, 302), ("resident", 403), ("far_worker", 404), ("worker", 200)]
)
def test_strangers_find_neither_dwelling_nor_building(
    world: World, people: People, who: str | None, status: int
) -> None:
    client = people.client(who)
    dwelling, building = world.dwellings["101"], world.buildings["spring 1号楼"]
    assert client.get(f"/work/dwellings/{dwelling}").status_code == status
    assert client.get(f"/work/buildings/{building}").status_code == status
    if who == "worker":
        assert client.get("/work/dwellings/999999").status_code == 404
        assert client.get("/work/buildings/999999").status_code == 404


def test_a_building_leads_to_its_dwellings(world: World, people: People) -> None:
    shown = people.client("worker").get(f"/work/buildings/{world.buildings['spring 1号楼']}").text
    for number in ("101", "102"):
        assert f'href="/work/dwellings/{world.dwellings[number]}"' in shown
    assert f'href="/work/dwellings/{world.dwellings["201"]}"' not in shown
