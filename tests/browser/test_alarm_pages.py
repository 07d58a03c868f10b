"""Alarm pages in Chromium: they bring themselves up to date, ring, and never swap a form away."""

from __future__ import annotations

from pathlib import Path

from flask import Flask
from playwright.sync_api import expect

from tests.browser.people import DESK
from tests.browser.web_only import browsing, serving
from tests.portal.telecare.conftest import ward
from tests.portal.telecare.ward import Ward
from tests.portal.village import People, app, clock, db, laid_out, people, world

__all__ = ["app", "clock", "db", "laid_out", "people", "ward", "world"]


def test_the_desk_and_an_open_alarm_follow_what_happens(
    ward: Ward, app: Flask, people: People, chromium: Path
) -> None:
    with (
        serving(app) as url,
        browsing(chromium, url, people, "gatekeeper", language="en", size=DESK) as browsers,
    ):
        desk = browsers.page()
        desk.goto("/work/telecare")
        expect(desk.get_by_text("No alarm is open")).to_be_visible()
        ward.press()
        card = desk.locator("#open-alarms .card-link")
        expect(card).to_contain_text("Just pressed")
        expect(desk.locator("[data-ring-says]")).to_contain_text("Alarm: 李*明")
        ward.wait(15)
        expect(card).to_contain_text("No answer yet")
        expect(card.locator("[data-since]")).not_to_have_text("0:00")

        card.click()
        expect(desk.get_by_role("button", name="I take it")).to_be_visible()
        ward.press()
        expect(desk.locator("#alarm-state")).to_contain_text("pressed 2 times")
        expect(desk.locator("#alarm-history")).to_contain_text("Pressed again")
        ward.act("acknowledge", ward.neighbour)
        expect(desk.locator("#alarm-state")).to_contain_text("Taken by 王芳")

        note = desk.get_by_label("Note")
        note.fill("half a sentence")
        ward.press()
        expect(desk.locator("#alarm-state")).to_contain_text("pressed 3 times")
        expect(note).to_have_value("half a sentence")
        desk.get_by_label("What it was").select_option("Needed a hand")
        desk.get_by_role("button", name="Close the alarm").click()
        expect(desk.locator("#messages")).to_contain_text("The alarm is closed.")
    assert ward.alarm().cause == "help"


def test_the_sound_can_be_switched_off_and_stays_off(
    ward: Ward, app: Flask, people: People, chromium: Path
) -> None:
    with (
        serving(app) as url,
        browsing(chromium, url, people, "gatekeeper", language="en") as browsers,
    ):
        desk = browsers.page()
        desk.goto("/work/telecare")
        sound = desk.get_by_role("button", name="Sound")
        expect(sound).to_have_attribute("aria-pressed", "true")
        sound.click()
        desk.reload()
        expect(desk.get_by_role("button", name="Sound")).to_have_attribute("aria-pressed", "false")
