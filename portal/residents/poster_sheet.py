"""The poster of a community as one A4 sheet in PDF, ready for the printer (A2).

Drawn, not laid out from HTML: see adr/0001. All of it is vector, the code too; letters are embedded as
a subset of the typeface, so that a print shop needs nothing. Lengths are millimetres, type is in points.

::

    band | community | what to do (zh, en) | QR code | three steps (zh, en) | address, USCC, free
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

import segno
from fpdf import FPDF
from fpdf.enums import TextMode

from portal.core.errors import UnavailableError
from portal.core.i18n import lazy
from portal.core.typefaces import chinese

FORM: Final = 1
"""Rises when the drawing changes: part of the sheet's version."""
QUIET_ZONE: Final = 4
"""Light modules around the code, as ISO/IEC 18004 asks."""

_WIDTH, _HEIGHT = 210.0, 297.0
_MIDDLE = _WIDTH / 2
_CODE = 118.0
_GREEN, _BLACK, _GREY, _WHITE = (14, 80, 67), (17, 17, 17), (68, 68, 68), (255, 255, 255)
_STEPS: Final = (
    ("用手机相机或微信扫描二维码", "Scan the code with your phone"),
    ("阅读告知，填写姓名、证件和住址", "Read the notice; enter name, document and dwelling"),
    ("社区审核后，登录出示通行码", "Once approved, sign in and show your pass"),
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """What stands on the poster; nothing of it is personal."""

    community: str
    uscc: str
    address: str

    @property
    def version(self) -> str:
        """The same for the same drawing, for the browser's cache."""
        text = "\0".join((str(FORM), self.community, self.uscc, self.address))
        return hashlib.sha256(text.encode()).hexdigest()[:24]

    @property
    def filename(self) -> str:
        """What the file is called when it is saved."""
        return f"linli-poster-{self.uscc}.pdf"


def draw(sheet: Sheet) -> bytes:
    """The sheet as a PDF file of one page.

    Raises:
        UnavailableError: this machine has no typeface with Chinese.
    """
    typeface = chinese()
    if typeface is None:
        raise UnavailableError(
            "no_typeface",
            lazy(
                "No Chinese typeface is installed on the server, so no PDF can be made. Print the poster from its page instead."
            ),
        )
    pdf = FPDF(format="A4", unit="mm")
    pdf.set_auto_page_break(False)
    pdf.set_lang("zh-CN")
    pdf.set_title(f"{sheet.community} {sheet.uscc}")
    pdf.set_creator("Linli")
    pdf.add_font("zh", fname=typeface.path, collection_font_number=typeface.number)
    pdf.add_page()
    _head(pdf, sheet)
    _code(pdf, sheet.address, top=91)
    _steps(pdf, top=219)
    _foot(pdf, sheet)
    return bytes(pdf.output())


def _head(pdf: FPDF, sheet: Sheet) -> None:
    pdf.set_fill_color(*_GREEN)
    pdf.rect(0, 0, _WIDTH, 40, style="F")
    _line(pdf, sheet.community, 26, 34, _WHITE, bold=True)
    _line(pdf, "扫码登记，领取通行码", 65, 47, _GREEN, bold=True)
    _line(pdf, "Scan to register and get your pass", 79, 20, _GREY)


def _code(pdf: FPDF, address: str, top: float) -> None:
    """The QR code at error level Q, each run of dark modules as one rectangle."""
    matrix = [list(row) for row in segno.make_qr(address, error="q").matrix]
    module = _CODE / (len(matrix) + 2 * QUIET_ZONE)
    left = _MIDDLE - _CODE / 2
    pdf.set_draw_color(*_GREEN)
    pdf.set_line_width(1.2)
    pdf.rect(
        left - 1, top - 1, _CODE + 2, _CODE + 2, style="D", round_corners=True, corner_radius=5
    )
    pdf.set_fill_color(0, 0, 0)
    for y, row in enumerate(matrix):
        x = 0
        while x < len(row):
            run = 0
            while x + run < len(row) and row[x + run]:
                run += 1
            if run:
                pdf.rect(
                    left + (QUIET_ZONE + x) * module,
                    top + (QUIET_ZONE + y) * module,
                    run * module,
                    module,
                    style="F",
                )
            x += run or 1


def _steps(pdf: FPDF, top: float) -> None:
    for number, (chinese_text, english) in enumerate(_STEPS):
        y = top + number * 17
        pdf.set_fill_color(*_GREEN)
        pdf.circle(40, y + 4.5, 5.5, style="F")
        _write(pdf, str(number + 1), 40, y + 6.9, 18, _WHITE, bold=True)
        _write(pdf, chinese_text, 51, y + 3.9, 20, _BLACK, bold=True, centred=False)
        _write(pdf, english, 51, y + 10.4, 13, _GREY, centred=False)


def _foot(pdf: FPDF, sheet: Sheet) -> None:
    pdf.set_draw_color(*_GREEN)
    pdf.set_line_width(0.4)
    pdf.line(20, 270, _WIDTH - 20, 270)
    _line(pdf, sheet.address, 276.5, 12, _BLACK)
    _line(pdf, f"统一社会信用代码 Unified social credit code {sheet.uscc}", 283, 11, _GREY)
    _line(
        pdf,
        "登记免费。二维码不含个人信息。 Free of charge. The code holds no personal data.",
        289,
        10,
        _GREY,
    )


def _line(
    pdf: FPDF,
    text: str,
    y: float,
    size: float,
    colour: tuple[int, int, int],
    *,
    bold: bool = False,
) -> None:
    """Centred on the page, made smaller until it fits between the margins."""
    pdf.set_font("zh", size=size)
    room = _WIDTH - 30
    width = pdf.get_string_width(text)
    _write(pdf, text, _MIDDLE, y, size * min(1, room / width), colour, bold=bold)


def _write(
    pdf: FPDF,
    text: str,
    x: float,
    y: float,
    size: float,
    colour: tuple[int, int, int],
    *,
    bold: bool = False,
    centred: bool = True,
) -> None:
    """Text on the baseline ``y``; bold is the same letters with a line around them."""
    pdf.set_font("zh", size=size)
    pdf.set_text_color(*colour)
    with pdf.local_context(
        text_mode=TextMode.FILL_STROKE if bold else TextMode.FILL,
        line_width=size * 0.0105,
        draw_color=colour,
    ):
        pdf.text(x - pdf.get_string_width(text) / 2 if centred else x, y, text)
