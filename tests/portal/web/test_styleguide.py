"""The style guide: who may open it, and that all of it renders."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from portal.web.styleguide import GROUPS
from tests.portal.cast import Town

FOLDER = Path(__file__).parents[3] / "portal/web/templates/styleguide"

MAY = {
    "outsider": 302,
    "resident": 403,
    "waiting": 403,
    "neighbour": 403,
    "gatekeeper": 200,
    "worker": 200,
    "manager": 200,
    "supervisor": 200,
    "auditor": 200,
}


@pytest.mark.parametrize("path", ["/styleguide", "/styleguide/telemetry"])
@pytest.mark.parametrize(("who", "status"), MAY.items())
def test_staff_may_open_it_and_nobody_else(town: Town, who: str, status: int, path: str) -> None:
    answer = town.person(who).get(path)
    assert answer.status_code == status
    if status == 302:
        assert answer.location.startswith("/sign-in")


def test_in_development_everybody_may(town: Town) -> None:
    town.app.debug = True
    assert town.person().get("/styleguide").status_code == 200


@pytest.mark.parametrize("language", ["en", "zh_Hans_CN"])
@pytest.mark.parametrize("group", [name for name, _title, _examples in GROUPS])
def test_every_group_shows_its_examples_and_their_source(
    town: Town, group: str, language: str
) -> None:
    page = town.person("worker", language).get(f"/styleguide?group={group}").text
    names = next(examples for name, _title, examples in GROUPS if name == group)
    for name, _title in names:
        assert f'class="example" id="example-{name}"' in page
    assert page.count('<pre tabindex="0"') == len(names)
    assert bool(re.search("[\u4e00-\u9fff]{4}", page)) == (language == "zh_Hans_CN")


def test_every_example_is_shown() -> None:
    shown = {name for _group, _title, examples in GROUPS for name, _title in examples}
    assert shown == {path.stem for path in FOLDER.glob("*.html")}


def test_a_refused_form_names_each_field_and_leads_to_it(town: Town) -> None:
    page = town.person("worker").get("/styleguide?group=forms").text
    targets = re.findall(r'<a href="#(bad-\w+)">', page)
    assert len(targets) == 11
    for target in targets:
        assert f'id="{target}"' in page
        assert f'id="{target}-error"' in page


def test_the_store_of_the_example_can_be_away(town: Town) -> None:
    person = town.person("worker")
    curves = person.get("/styleguide/telemetry").json
    assert [curve["unit"] for curve in curves["curves"]] == ["°C", ""]  # type: ignore[index]
    assert person.get("/styleguide/telemetry?range=away").status_code == 503


@pytest.mark.parametrize("group", [name for name, _title, _examples in GROUPS])
def test_no_id_stands_twice_on_a_page_of_the_guide(town: Town, group: str) -> None:
    page = town.person("worker").get(f"/styleguide?group={group}").text
    ids = re.findall(r'\sid="([^"]+)"', page)
    assert len(ids) == len(set(ids))
