"""Tables that people upload, CSV or XLSX: read whole and kept small, with every cell checked.

CSV comes as UTF-8 (with or without mark) or as GBK/GB 18030, which Chinese spreadsheets write; the
answer names which it was. Nothing of a workbook but cell values is read. A cell that a spreadsheet
would run as a formula, that holds marks of HTML or control characters is refused by its line.
"""

from __future__ import annotations

import csv
import io
import re
import unicodedata
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from portal.core.errors import DomainError
from portal.core.i18n import lazy

LARGEST: Final = 3 * 1024 * 1024
"""Bytes of a file."""
LARGEST_UNPACKED: Final = 60 * 1024 * 1024
"""Bytes of what is in a workbook."""
MOST_ROWS: Final = 60_000
LONGEST_CELL: Final = 200
MOST_FAULTS: Final = 1_000
_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_BELOW_NOUGHT: Final = re.compile(r"-[0-9]{1,3}")
"""Floors below the ground are numbers, not formulas."""
_UNSEEN: Final = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong in a line. ``column`` is its heading in the language of the page, or empty."""

    line: int
    column: Any
    code: str
    sentence: Any
    value: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its key, what it is called, and the headings it is known by."""

    key: str
    title: Any
    headings: tuple[str, ...]
    required: bool = False


@dataclass(slots=True)
class Table:
    """What was read: lines with their number and cells by key, faults of single cells."""

    encoding: str
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)


class FileError(DomainError):
    """The file as a whole cannot be read."""

    def __init__(self, code: str, message: Any) -> None:
        super().__init__(code, message, field="file")


def read(content: bytes, columns: Sequence[Column]) -> Table:
    """Read a table with headings in its first line; headings may stand in any order.

    Raises:
        FileError: empty, too large, in no known encoding, no table, or a column is missing.
    """
    if len(content) > LARGEST:
        raise FileError(
            "file_large",
            lazy("The file is larger than 3 MB. Divide it and import one part after the other."),
        )
    if not content.strip():
        raise FileError("file_empty", lazy("The file is empty."))
    if content.startswith(b"PK\x03\x04"):
        table, lines = Table("XLSX"), _workbook(content)
    else:
        text, encoding = _decoded(content)
        table, lines = Table(encoding), _csv(text)
    known: Mapping[int, Column] | None = None
    for number, cells in lines:
        if not any(cell.strip() for cell in cells):
            continue
        if known is None:
            known = _headings(cells, columns)
            continue
        if len(table.rows) >= MOST_ROWS:
            raise FileError(
                "file_rows", lazy("The file has more than 60,000 lines. Divide it into parts.")
            )
        table.rows.append((number, _row(number, cells, known, table.faults)))
    if known is None or not table.rows:
        raise FileError("file_no_rows", lazy("The file has no line below the headings."))
    return table


def _decoded(content: bytes) -> tuple[str, str]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in content:
        raise FileError(
            "file_encoding",
            lazy("The file is no CSV in UTF-8 or GBK. Save it as “CSV UTF-8” and upload it again."),
        )
    for codec, name in (("utf-8-sig", "UTF-8"), ("gbk", "GBK"), ("gb18030", "GB18030")):
        try:
            return content.decode(codec), name
        except UnicodeDecodeError:
            continue
    raise FileError(
        "file_encoding",
        lazy("The file is no CSV in UTF-8 or GBK. Save it as “CSV UTF-8” and upload it again."),
    )


def _csv(text: str) -> Iterator[tuple[int, list[str]]]:
    first = text.split("\n", 1)[0]
    mark = max(",;\t，", key=first.count)
    if mark == "，":
        raise FileError(
            "file_commas", lazy("The headings are parted by Chinese commas. Use plain commas.")
        )
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    try:
        before = 0
        for cells in reader:
            yield before + 1, cells
            before = reader.line_num
    except csv.Error as error:
        raise FileError(
            "file_malformed",
            lazy(
                "Line %(line)s cannot be read: a quotation mark is missing, or a cell is far too long.",
                line=reader.line_num,
            ),
        ) from error


def _workbook(content: bytes) -> Iterator[tuple[int, list[str]]]:
    broken = FileError(
        "file_workbook", lazy("The workbook cannot be read. Save it anew as XLSX or CSV.")
    )
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as packed:
            if sum(entry.file_size for entry in packed.infolist()) > LARGEST_UNPACKED:
                raise FileError(
                    "file_large",
                    lazy("The workbook is too large once unpacked. Divide it into parts."),
                )
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=False, keep_links=False)
        sheet = book.worksheets[0]
        sheet.reset_dimensions()
        for number, cells in enumerate(sheet.iter_rows(values_only=True, max_col=40), 1):
            yield number, [_plain(cell) for cell in cells]
        book.close()
    except FileError:
        raise
    except (
        InvalidFileException,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        IndexError,
        OSError,
        TypeError,
        AttributeError,
        SyntaxError,  # the parser of XML derives its errors from it
    ) as error:
        raise broken from error


def _plain(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _headings(cells: Sequence[str], columns: Sequence[Column]) -> dict[int, Column]:
    by_name = {heading.casefold(): c for c in columns for heading in (c.key, *c.headings)}
    known: dict[int, Column] = {}
    for place, cell in enumerate(cells):
        column = by_name.get(cell.strip().casefold())
        if column is None:
            continue
        if column in known.values():
            raise FileError(
                "file_heading_twice",
                lazy("The heading “%(name)s” stands twice.", name=column.title),
            )
        known[place] = column
    missing = [str(c.title) for c in columns if c.required and c not in known.values()]
    if missing:
        raise FileError(
            "file_headings",
            lazy(
                "The first line must name the columns; missing: %(names)s.",
                names=", ".join(missing),
            ),
        )
    return known


def _row(
    number: int, cells: Sequence[str], known: Mapping[int, Column], faults: list[Fault]
) -> dict[str, str]:
    row: dict[str, str] = {}
    for place, column in known.items():
        cell = cells[place].strip(" \t\u3000\u00a0") if place < len(cells) else ""
        wrong = cell_fault(cell)
        if wrong is not None:
            code, sentence = wrong
            add_fault(faults, Fault(number, column.title, code, sentence, cell[:LONGEST_CELL]))
            cell = ""
        elif column.required and not cell:
            missing = lazy("This cell is empty.")
            add_fault(faults, Fault(number, column.title, "cell_empty", missing))
        row[column.key] = cell
    return row


def cell_fault(cell: str) -> tuple[str, Any] | None:
    """What is wrong with a cell whatever it means: code and sentence, or ``None``."""
    if len(cell) > LONGEST_CELL:
        return "cell_long", lazy("The cell has more than 200 characters.")
    if any(unicodedata.category(c) in _UNSEEN for c in cell):
        return "cell_control", lazy("The cell has line breaks or characters that cannot be seen.")
    if cell.startswith(_FORMULA) and not _BELOW_NOUGHT.fullmatch(cell):
        return "cell_formula", lazy("A cell must not begin with = + - or @: it would be a formula.")
    if "<" in cell or ">" in cell or "&#" in cell:
        return "cell_html", lazy("The cell has marks of HTML. Enter plain text.")
    return None


def add_fault(faults: list[Fault], fault: Fault) -> None:
    """Note a fault, up to as many as anybody would mend at once."""
    if len(faults) < MOST_FAULTS:
        faults.append(fault)


def faults_as_csv(faults: Sequence[Fault], headings: Sequence[str]) -> bytes:
    """Faults as CSV (UTF-8 with mark, for spreadsheets), by line; cells cannot run as formulas."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(headings)
    for f in sorted(faults, key=lambda one: one.line):
        writer.writerow([f.line, _harmless(str(f.column)), str(f.sentence), _harmless(f.value)])
    return out.getvalue().encode("utf-8-sig")


def _harmless(text: str) -> str:
    shown = "".join("·" if unicodedata.category(c) in _UNSEEN else c for c in text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
