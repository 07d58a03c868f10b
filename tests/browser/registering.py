"""Somebody who registers: what they enter, step by step, in either language."""

from dataclasses import dataclass
from itertools import count

from playwright.sync_api import Page

from portal.core.identifiers import resident_id_with_check

PASSWORD = "jasmine-river-lantern-7"
_numbers = count(1)


@dataclass(frozen=True)
class Applicant:
    """A new person; the identity number has the area 919999, which is nobody's."""

    name: str
    phone: str
    document: str


def applicant(name: str = "周小舟") -> Applicant:
    """Somebody who has not registered yet."""
    number = next(_numbers)
    document = resident_id_with_check(f"91999919930418{number:03}")
    return Applicant(name, f"1990009{number:04}", document)


def consent(page: Page, link: str) -> None:
    """First step: the link of the poster, and the box under the text."""
    page.goto(link)
    page.locator("#agree").check()
    page.locator("main button[type=submit]").click()
    page.wait_for_url("**/data")


def enter_data(page: Page, who: Applicant) -> None:
    """Second step: name, phone, document, password."""
    page.locator("#name").fill(who.name)
    page.locator("#phone").fill(who.phone)
    page.locator("input[name=document_type][value=resident_id]").check()
    page.locator("#document_number").fill(who.document)
    page.locator("#password").fill(PASSWORD)
    page.locator("#confirm").fill(PASSWORD)
    page.locator("main button[type=submit]").click()
    page.wait_for_url("**/dwelling")


def enter_dwelling(page: Page, building: str, unit: str, number: str) -> None:
    """Third step: each list brings the next one up to date; then it is sent."""
    page.locator("#building").select_option(building)
    page.locator("#unit").select_option(unit)
    page.locator("#dwelling").select_option(number)
    page.locator("input[name=relation][value=tenant]").check()
    page.locator("main form button[type=submit]").last.click()
    page.wait_for_url("**/done")
