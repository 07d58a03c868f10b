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


NAME = "周小舟"
"""Of whoever registers in a test, where it does not matter who."""


def applicant(name: str = NAME) -> Applicant:
    """Somebody who has not registered yet."""
    number = next(_numbers)
    document = resident_id_with_check(f"91999919930418{number:03}")
    return Applicant(name, f"1990009{number:04}", document)


def onward(page: Page, to: str) -> None:
    """Send the step at hand and wait for the next one."""
    page.locator("main form button[type=submit]:not([name])").click()
    page.wait_for_url(f"**/{to}")


def consent(page: Page, link: str) -> None:
    """First step: the link of the poster, and the box under the text."""
    page.goto(link)
    page.locator("#agree").check()
    onward(page, "person")


def enter_person(page: Page, who: Applicant) -> None:
    """Name and phone."""
    page.locator("#name").fill(who.name)
    page.locator("#phone").fill(who.phone)
    onward(page, "document")


def enter_document(page: Page, who: Applicant) -> None:
    """The identity card."""
    page.locator("input[name=document_type][value=resident_id]").check()
    page.locator("#document_number").fill(who.document)
    onward(page, "dwelling")


def enter_dwelling(page: Page, building: str, unit: str, number: str) -> None:
    """Each list brings the next one up to date."""
    page.locator("#building").select_option(building)
    page.locator("#unit").select_option(unit)
    page.locator("#dwelling").select_option(number)
    page.locator("input[name=relation][value=tenant]").check()
    onward(page, "secret")


def enter_secret(page: Page) -> None:
    """The password, twice."""
    page.locator("#password").fill(PASSWORD)
    page.locator("#confirm").fill(PASSWORD)
    onward(page, "check")


def enter_everything(page: Page, who: Applicant) -> None:
    """From the consent to the answers to check; a dwelling of the demo."""
    enter_person(page, who)
    enter_document(page, who)
    enter_dwelling(page, "2号楼", "1单元", "201")
    enter_secret(page)
