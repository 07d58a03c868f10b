"""A typeface with Chinese for what is drawn on the server: PDF files, not pages.

The requirements bring one (Noto Sans SC, SIL Open Font License); where somebody installs without it,
one of Debian's stands in. Pages never need it: browsers have their own.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Final

_SYSTEM: Final = (
    Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc"),
    Path("/usr/share/fonts/truetype/wqy/wqy-zenhei.ttc"),
    Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"),
)
_OF_A_COLLECTION: Final = {"NotoSansCJK-Regular.ttc": 2}
"""Which face of a collection has the forms of mainland China; the first where nothing is said."""


@dataclass(frozen=True, slots=True)
class Typeface:
    """A font file and the face in it."""

    path: Path
    number: int = 0


@cache
def chinese() -> Typeface | None:
    """The typeface to draw Chinese with; ``None`` when there is none on this machine."""
    for path in (_packaged(), *_SYSTEM):
        if path is not None and path.is_file():
            return Typeface(path, _OF_A_COLLECTION.get(path.name, 0))
    return None


def _packaged() -> Path | None:
    try:
        return Path(str(files("pylopdf_fonts_zh_cn") / "NotoSansSC-Regular.otf"))
    except ModuleNotFoundError:
        return None
