"""The page of a device on a running system: what it measures now, as a curve and as a table."""

import pytest
from playwright.sync_api import expect

from tests.browser.people import DESK, People
from tests.services.up import Up
from tests.services.wait import wait_until

pytestmark = pytest.mark.system


def test_a_measured_temperature_shows_in_the_chart_and_in_the_table(
    people: People, demo: Up
) -> None:
    manager = people.signed_in("manager", "en", DESK)
    manager.goto("/work/devices?kind=thermometer")
    row = manager.get_by_role("row").filter(has_text="fever-south-in")
    expect(row).to_contain_text("online")
    row.get_by_role("link", name="Open").click()
    body = manager.locator("figure").filter(has_text="Body temperature")

    measured = demo.run("simulate", "measure", "fever-south-in", "--temperature", "38.7", "--json")
    assert measured.returncode == 0, measured.stderr

    def drawn() -> bool:
        manager.get_by_role("button", name="1 hour").click()
        expect(manager.locator("#telemetry[aria-busy]")).to_have_count(0)
        return body.count() == 1 and "latest 38.7 °C" in body.inner_text()

    wait_until(drawn, 20, what="the reading in the chart", interval=0.5)
    chart = body.locator("svg")
    expect(chart).to_be_visible()
    assert chart.locator("path").count() > 3
    box = chart.bounding_box()
    assert box is not None
    assert box["width"] > 200
    assert box["height"] > 100

    manager.get_by_role("link", name="Values as a table").click()
    manager.get_by_label("Value", exact=True).select_option("Body temperature")
    manager.get_by_label("Time range").select_option("1 hour")
    manager.get_by_role("button", name="Show").click()
    table = manager.get_by_role("table", name="Body temperature")
    expect(table.get_by_role("columnheader")).to_have_text(["Time", "Mean", "Lowest", "Highest"])
    expect(table).to_contain_text("38.7 °C")


def test_who_may_not_read_measurements_sees_the_device_without_them(people: People) -> None:
    worker = people.signed_in("worker", "en", DESK)
    worker.goto("/work/devices?kind=thermometer")
    worker.get_by_role("link", name="Open").first.click()
    expect(worker.get_by_text("Your role does not see measurements.")).to_be_visible()
    assert worker.locator("#telemetry").count() == 0
