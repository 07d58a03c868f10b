"""Keeps the message catalogues in step with the source: `python -m provisioning.translations`.

    update   take new strings from code and templates into each catalogue, drop unused ones
    check    say what is untranslated, uncertain or would break when filled in; exit code 1 then

The source language is English, so a catalogue exists for each other language only. Compiled
catalogues (.mo) are made by `make env` and not checked in.
"""

import io
import sys
from collections.abc import Callable, Iterator
from contextlib import chdir
from pathlib import Path
from tempfile import TemporaryDirectory

from babel.messages import frontend
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

SOURCE = Path(__file__).resolve().parents[1] / "portal"
CATALOGUES = SOURCE / "translations"
LANGUAGES = ("zh_Hans_CN",)

# What marks a string, besides babel's own _ and gettext family; see portal/core/i18n.py.
_KEYWORDS = ("lazy", "lazy_gettext", "lazy_ngettext:1,2", "lazy_pgettext:1c,2")

_IDLE_HEADERS = tuple(
    f'"{name}:'
    for name in (
        *("Report-Msgid-Bugs-To", "POT-Creation-Date", "PO-Revision-Date"),
        *("Last-Translator", "Language-Team", "Generated-By"),
    )
)


def extract(source: Path, folder: Path) -> Path:
    """Write every string marked under `source` to `folder`/messages.pot and return that path."""
    template = folder.resolve() / "messages.pot"
    keywords = [part for keyword in _KEYWORDS for part in ("-k", keyword)]
    with chdir(source.parent):  # so that the catalogues name files as they are in the project
        _pybabel(
            "extract",
            *("-F", str(CATALOGUES / "babel.cfg"), *keywords, "-c", "Translators:"),
            *("--project", "Linli", "--header-comment", "# Linli", "--no-wrap", "--sort-output"),
            *("--add-location", "file", "-o", str(template), source.name),
        )
    return template


def update(source: Path = SOURCE, catalogues: Path = CATALOGUES) -> None:
    """Bring each language's catalogue in line with the source, keeping its translations."""
    with TemporaryDirectory() as folder:
        template = extract(source, Path(folder))
        for language in LANGUAGES:
            _pybabel(
                "update",
                *("-i", str(template), "-d", str(catalogues), "-l", language, "--init-missing"),
                *("--no-wrap", "--no-fuzzy-matching", "--ignore-obsolete"),
                "--ignore-pot-creation-date",
            )
            _tidy_header(_path(catalogues, language))


def check(source: Path = SOURCE, catalogues: Path = CATALOGUES) -> list[str]:
    """One sentence for each string that a reader of some language would not see translated."""
    with TemporaryDirectory() as folder:
        wanted = _read(extract(source, Path(folder)), None)
    faults: list[str] = []
    for language in LANGUAGES:
        path = _path(catalogues, language)
        catalogue = _read(path, language) if path.exists() else Catalog(locale=language)
        for message in wanted:
            if message.id:
                faults += [f"{language}: {fault}" for fault in _faults(message, catalogue)]
    return faults


def _faults(wanted: Message, catalogue: Catalog) -> Iterator[str]:
    name = wanted.id if isinstance(wanted.id, str) else wanted.id[0]
    where = ", ".join(sorted({file for file, _ in wanted.locations})) or "source"
    have = catalogue.get(name, context=wanted.context)
    strings = have.string if have else None
    translations = [strings] if isinstance(strings, str) else list(strings or ())
    if not have or not translations or not all(translations):
        yield f"not translated: {name!r} ({where})"
        return
    if have.fuzzy:
        yield f"marked as uncertain (fuzzy): {name!r} ({where})"
    # The extracted message knows whether it is a format string; a hand-written entry may not say.
    have.flags |= wanted.flags & {"python-format", "python-brace-format"}
    for error in have.check(catalogue):
        yield f"{error}: {name!r} ({where})"


def _path(catalogues: Path, language: str) -> Path:
    return catalogues / language / "LC_MESSAGES" / "messages.po"


def _tidy_header(path: Path) -> None:
    """Drop what pybabel writes into the header that is a placeholder or changes on each run."""
    lines = path.read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in lines if not line.startswith(_IDLE_HEADERS)]
    path.write_text("".join(kept), encoding="utf-8")


def _read(path: Path, language: str | None) -> Catalog:
    return read_po(io.BytesIO(path.read_bytes()), locale=language)


def _pybabel(*arguments: str) -> None:
    run: Callable[[list[str]], int | None] = frontend.CommandLineInterface().run
    code = run(["pybabel", "-q", *arguments])
    if code:
        raise SystemExit(f"pybabel {arguments[0]} ended with exit code {code}")


def main(arguments: list[str]) -> int:
    """Carry out the command line; the exit code."""
    if arguments == ["update"]:
        update()
        return 0
    if arguments == ["check"]:
        faults = check()
        for fault in faults:
            sys.stderr.write(f"{fault}\n")
        if faults:
            sys.stderr.write(f"{len(faults)} strings to see to: make translations, then edit\n")
        return 1 if faults else 0
    sys.stderr.write(f"{__doc__}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
