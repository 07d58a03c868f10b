"""A code as a picture: inline SVG, black on white whatever the colours of the page."""

from __future__ import annotations

from typing import Final

import segno
from markupsafe import Markup

QUIET_ZONE: Final = 4
"""Light modules around the code, as ISO/IEC 18004 asks."""


def qr_svg(text: str) -> Markup:
    """The QR code of a text at error level M, sized by the style sheet.

    No inline style and no script: it stands under a strict content security policy.
    """
    code = segno.make(text, error="m", micro=False, boost_error=False)
    return Markup(  # noqa: S704 - drawn by segno out of numbers alone, the text is not in it
        code.svg_inline(
            border=QUIET_ZONE,
            dark="#000",
            light="#fff",
            omitsize=True,
            svgclass="qr-image",
            lineclass=None,
        )
    )
