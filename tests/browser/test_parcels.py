"""A parcel on a running system: the courier stores it, the resident is told and fetches it; the door is the proof."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from mqtt.simulator import control
from tests.browser.people import DESK, People
from tests.services.up import Up
from tests.services.wait import wait_until

pytestmark = pytest.mark.system

LOCKER = "locker-north"
TITLE = "北门快递柜"


def test_a_parcel_goes_from_the_courier_to_the_resident_through_a_proven_door(
    people: People, demo: Up
) -> None:
    account = people.accounts[people.resident]
    building, unit, number = account["note"].split()[:3]
    assert unit.endswith("单元")

    courier = people.stranger("en")
    courier.goto(f"/c/{people.facts['courier_code']}")
    courier.get_by_role("link", name="Store a parcel").click()
    courier.locator("#locker").select_option(label=TITLE)
    courier.get_by_label("Large", exact=True).check()
    courier.locator("#building").select_option(label=building)
    courier.locator("#number").fill(number)
    courier.locator("#tail").fill("0000" if not people.resident.endswith("0000") else "1111")
    courier.get_by_role("button", name="Find the recipient").click()
    expect(courier.locator("#tail-error")).to_contain_text("Nobody fits")
    courier.locator("#tail").fill(people.resident[-4:])
    courier.get_by_role("button", name="Find the recipient").click()
    expect(courier.locator("#recipient")).to_contain_text("*")
    assert people.resident not in courier.content()
    courier.get_by_role("button", name="Open the compartment").click()
    expect(courier.get_by_text("Lay the parcel in and close the door")).to_be_visible()
    compartment = int(courier.locator(".big-number").inner_text())
    close(demo, compartment, "--occupied")
    expect(courier.get_by_text("the door is shut and the parcel is inside")).to_be_visible()

    resident = people.signed_in(people.resident, "en")
    resident.goto("/parcels")
    resident.get_by_role("link", name=re.compile(TITLE)).first.click()
    code = resident.locator(".big-code").first.inner_text()

    holder = people.stranger("en")
    holder.goto("/pickup")
    holder.locator("#locker").select_option(label=TITLE)
    holder.locator("#code").fill("0000 0000")
    holder.get_by_role("button", name="Go on").click()
    expect(holder.locator("#code-error")).to_be_visible()
    holder.locator("#locker").select_option(label=TITLE)
    holder.locator("#code").fill(code)
    holder.get_by_role("button", name="Go on").click()
    expect(holder.locator(".big-number")).to_have_text(str(compartment))
    holder.get_by_role("button", name="Yes, open it now").click()
    expect(holder.get_by_text("The door is open")).to_be_visible()
    expect(resident.get_by_role("heading", name="The door is open")).to_be_visible()
    close(demo, compartment, "--empty")
    expect(holder.get_by_role("heading", name="Fetched")).to_be_visible()
    expect(resident.get_by_role("heading", name="Fetched")).to_be_visible()


def test_staff_open_a_compartment_for_a_reason_and_see_its_door(people: People, demo: Up) -> None:
    manager = people.signed_in("manager", "en", size=DESK)
    manager.goto("/work/lockers")
    manager.get_by_role("row", name=re.compile(TITLE)).get_by_role("link", name="Open").click()
    manager.locator(".box").filter(has_text="6 · S").click()
    manager.get_by_role("button", name="Open it now").click()
    expect(manager.locator("#reason-error")).to_be_visible()
    manager.locator("#reason").select_option("cleaning")
    manager.get_by_role("button", name="Open it now").click()
    expect(manager.get_by_text("The door has been asked to open.")).to_be_visible()
    until_open(demo, 6)
    close(demo, 6, "--empty")
    reload_until(manager, "Opened and closed")


@pytest.fixture(autouse=True)
def shut(demo: Up) -> Iterator[None]:
    """Leave no door open behind."""
    yield
    for number in locker(demo)["open"]:
        close(demo, number, "--empty")


def locker(up: Up) -> dict[str, list[int]]:
    answer = control.ask(
        up.data / control.SOCKET_NAME, {"op": "state", "device": LOCKER}, timeout=10
    )
    return dict(answer["state"])


def close(up: Up, compartment: int, content: str) -> None:
    done = up.run("simulate", "close", LOCKER, str(compartment), content)
    assert done.returncode == 0, done.stderr


def until_open(up: Up, compartment: int) -> None:
    wait_until(lambda: compartment in locker(up)["open"], 15, what=f"compartment {compartment}")


def reload_until(page: Page, text: str) -> None:
    def seen() -> bool:
        page.reload()
        return page.get_by_text(text).count() > 0

    wait_until(seen, 15, what=text)
