"""The check that finds words for people that nobody can translate."""

from __future__ import annotations

from pathlib import Path

import pytest

from provisioning.literals import code_faults, faults, template_faults


def _said(text: str) -> list[str]:
    return [
        fault.partition("not translated: ")[2].strip("'") for fault in template_faults(text, "t")
    ]


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("<p>Open</p>", "Open"),
        ("<p>打开</p>", "打开"),
        ("<p>{{ name }} is here</p>", "is here"),
        ("{% if x %}<p>{{ _('Door') }}: shut</p>{% endif %}", ": shut"),
        ('<img src="{{ x }}" alt="A door">', "A door"),
        ('<input placeholder="name">', "name"),
        ("<button title=\"{{ _('Close') }}\">x</button>", "x"),
        ('<button aria-label="Close"></button>', "Close"),
        ('<p title="{{ "Shut" if x else _("Open") }}"></p>', "Shut"),
        ('<p>{{ "open" if x else _("shut") }}</p>', "open"),
        ('<p>{{ name|default("unknown") }}</p>', "unknown"),
        ('<p>{{ "old: " ~ name }}</p>', "old:"),
        ('{{ ui.chip("Waiting", "warn") }}', "Waiting"),
        ('{{ ui.note(text="Nobody waits here") }}', "Nobody waits here"),
        ('{% set title = "Residents" %}', "Residents"),
        ("{% trans %}Welcome{% endtrans %}<p>Bye</p>", "Bye"),
        ("{% block title %}Doors{% endblock %}", "Doors"),
        ('<{{ "a" if x else "div" }} title="Open"></{{ "a" if x else "div" }}>', "Open"),
        ('<div lang="{{ language }}">Hello</div>', "Hello"),
        ('<div lang="en">Hello</div><div>Bye</div>', "Bye"),
        ("<p>36.5 °F</p>", "36.5 °F"),
    ],
)
def test_words_that_are_not_translated_are_found(template: str, words: str) -> None:
    assert _said(template) == [words]


@pytest.mark.parametrize(
    "template",
    [
        "<p>{{ _('Open') }} · {{ count }} %</p>",
        "<p>{{ ngettext('%(num)s door', '%(num)s doors', count) }}</p>",
        "{% trans name=name %}Welcome, {{ name }}{% endtrans %}",
        '<a href="/somewhere" class="button main{{ " wide" if wide }}">{{ _("Go") }}</a>',
        '<div{% if x %} class="wrong"{% endif %}{{ " hidden" if y }}></div>',
        '<p lang="zh-Hans-CN">扫码登记 <b>now</b></p>',
        '<code translate="no">--ink</code>',
        "<script src='/x.js'></script><!-- for who reads the source -->",
        "{# a comment #}{% block page_class %}narrow{% endblock %}",
        '{{ ui.button(_("Go"), "main", "home", data_opens="dialog") }}',
        '{% if state == "Approved" %}{% endif %}{% import "Macros.html" as m %}',
        "<p>{{ value }} °C</p>",
        '<{{ "a" if x else "div" }} class="tile"></{{ "a" if x else "div" }}>',
    ],
)
def test_what_is_translated_or_not_for_people_is_let_through(template: str) -> None:
    assert template_faults(template, "t") == []


def test_a_fault_names_file_and_line() -> None:
    template = "{# one\n two #}\n{% if\n x %}\n<p\n class='a'>\nDoor</p>{% endif %}"
    assert template_faults(template, "doors.html") == ["doors.html:7: not translated: 'Door'"]


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('raise DomainError("gone", "This is gone.")', True),
        ('raise NotFoundError("gone", f"This {x} is gone.")', True),
        ('flash("Saved", "success")', True),
        ('name = StringField("Name")', True),
        ('name = StringField(label="Name")', True),
        ('check = Length(max=9, message="Too long")', True),
        ('check = Length(max=9, message="太长")', True),
        ('raise DomainError("gone", lazy("This is gone."))', False),
        ('flash(_("Saved"), "success")', False),
        ('name = StringField(lazy("Name"), name="Name")', False),
        ('raise ValueError("Not for people")', False),
        ('raise ConfigError("LINLI_X", "Must be a number")', False),
        ('blueprint = Blueprint("doors", description="Doors")', False),
    ],
)
def test_sentences_in_code_are_found_where_people_would_read_them(code: str, found: bool) -> None:
    assert bool(code_faults(code, "views.py")) is found


def test_the_portal_says_nothing_that_cannot_be_translated() -> None:
    assert faults() == []


def test_a_whole_folder_is_read_and_operators_messages_are_not(tmp_path: Path) -> None:
    portal = tmp_path / "portal"
    for name, text in {
        "doors/templates/doors/show.html": "<h1>Door</h1>",
        "doors/views.py": 'flash("Opened")\n',
        "doctor/disk.py": 'flash("Disk full")\n',
        "cli_up.py": 'flash("Starting")\n',
    }.items():
        path = portal / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert faults(portal) == [
        "portal/doors/templates/doors/show.html:1: not translated: 'Door'",
        "portal/doors/views.py:1: not translated: 'Opened'",
    ]
