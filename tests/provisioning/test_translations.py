"""What the check of the catalogues finds, on a small source of its own."""

from pathlib import Path

import pytest

from provisioning.translations import check, update

CODE = 'from portal.core.i18n import _, lazy\n\nGREETING = _("Good morning, %(name)s")\nDOOR = lazy("Door")\n'
PAGE = "<p>{{ _('Pass') }}</p>{% trans %}Welcome{% endtrans %}"
HEADER = (
    '# Linli\nmsgid ""\nmsgstr ""\n"Language: zh_Hans_CN\\n"\n'
    '"Content-Type: text/plain; charset=utf-8\\n"\n'
)
TRANSLATED = {
    "Good morning, %(name)s": "%(name)s，早上好",
    "Door": "门",
    "Pass": "通行码",
    "Welcome": "欢迎",
}


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "portal"
    (folder / "web/templates").mkdir(parents=True)
    (folder / "web/greeting.py").write_text(CODE, encoding="utf-8")
    (folder / "web/templates/pass.html").write_text(PAGE, encoding="utf-8")
    (folder / "migrations").mkdir()
    (folder / "migrations/first.py").write_text('_("not for readers")\n', encoding="utf-8")
    return folder


def _catalogue(folder: Path) -> Path:
    return folder / "translations/zh_Hans_CN/LC_MESSAGES/messages.po"


def _translate(folder: Path, translations: dict[str, str], flag: str = "") -> None:
    entries = [
        f'{flag}msgid "{english}"\nmsgstr "{chinese}"\n'
        for english, chinese in translations.items()
    ]
    path = _catalogue(folder)
    path.parent.mkdir(parents=True)
    path.write_text("\n".join([HEADER, *entries]), encoding="utf-8")


def _check(folder: Path) -> list[str]:
    return check(folder, folder / "translations")


def test_a_complete_catalogue_has_no_faults(source: Path) -> None:
    _translate(source, TRANSLATED)
    assert _check(source) == []


def test_strings_of_code_and_templates_without_translation_are_named(source: Path) -> None:
    _translate(source, {"Door": "门", "Pass": ""})
    assert _check(source) == [
        "zh_Hans_CN: not translated: 'Good morning, %(name)s' (portal/web/greeting.py)",
        "zh_Hans_CN: not translated: 'Pass' (portal/web/templates/pass.html)",
        "zh_Hans_CN: not translated: 'Welcome' (portal/web/templates/pass.html)",
    ]


def test_without_a_catalogue_every_string_is_named(source: Path) -> None:
    assert len(_check(source)) == len(TRANSLATED)


def test_a_placeholder_lost_in_translation_is_found(source: Path) -> None:
    _translate(source, {**TRANSLATED, "Good morning, %(name)s": "%(nmae)s，早上好"})
    faults = _check(source)
    assert len(faults) == 1
    assert "Good morning" in faults[0]


def test_an_uncertain_translation_is_found(source: Path) -> None:
    _translate(source, TRANSLATED, flag="#, fuzzy\n")
    assert all("fuzzy" in fault for fault in _check(source))
    assert len(_check(source)) == len(TRANSLATED)


def test_an_update_takes_new_strings_keeps_translations_and_names_no_folder(
    source: Path, tmp_path: Path
) -> None:
    _translate(source, {"Door": "门", "Gone": "不再使用"})
    update(source, source / "translations")
    text = _catalogue(source).read_text("utf-8")
    assert 'msgid "Door"\nmsgstr "门"' in text
    assert 'msgid "Welcome"\nmsgstr ""' in text
    assert "Gone" not in text
    assert "not for readers" not in text
    assert str(tmp_path) not in text


def test_an_update_without_news_changes_nothing(source: Path) -> None:
    _translate(source, TRANSLATED)
    update(source, source / "translations")
    before = _catalogue(source).read_text("utf-8")
    update(source, source / "translations")
    assert _catalogue(source).read_text("utf-8") == before
    assert "Date" not in before
    assert "EMAIL" not in before
