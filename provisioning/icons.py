"""Draws the app's icons from portal/web/static/img/linli.svg: `python -m provisioning.icons [--check]`.

Phones want PNG files. The drawing is one square and one path of straight lines, so that Pillow draws it from
the numbers in the file: no browser and no further library is needed, and the same drawing gives the same
picture everywhere. `--check` compares pixels, for the packing of PNG files differs between versions.

===========================  ===================================================================
``icon-SIZE.png``            as the SVG is, with its round corners
``icon-maskable-SIZE.png``   colour up to the edge, the drawing inside the safe zone: a circle of
                             40 % of the width (W3C Web Application Manifest, "maskable")
``icon-touch.png``           colour up to the edge, for iOS, which cuts the corners itself
===========================  ===================================================================
"""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image, ImageChops, ImageDraw

FOLDER: Final = Path(__file__).resolve().parents[1] / "portal/web/static/img"
FINER: Final = 8
"""Everything is drawn so many times larger and then made small, for smooth edges."""
SAFE: Final = 0.74
"""Size of the drawing on maskable icons: its corners then lie inside the safe zone."""
TOUCH: Final = 0.9
_TOKEN: Final = re.compile(r"[MLHVlhv]|-?\d*\.?\d+")

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the SVG says, in units of its view box of ``size``."""

    size: float
    corner: float
    ground: str
    ink: str
    width: float
    lines: tuple[tuple[Point, ...], ...]


def read(svg: str) -> Drawing:
    """The drawing of an SVG that has one square and one path of straight lines.

    Raises:
        ValueError: there is something else in it.
    """
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    square = re.search(r'<rect width="[\d.]+" height="[\d.]+" rx="([\d.]+)" fill="(#\w+)"/>', svg)
    path = re.search(
        r'<path d="([^"]+)" fill="none" stroke="(#\w+)" stroke-width="([\d.]+)" '
        r'stroke-linecap="round" stroke-linejoin="round"/>',
        svg,
    )
    if not (box and square and path) or len(re.findall(r"<[a-z]+ ", svg)) != 3:
        raise ValueError("the drawing is not one square and one path")
    return Drawing(
        size=float(box[1]),
        corner=float(square[1]),
        ground=square[2],
        ink=path[2],
        width=float(path[3]),
        lines=_lines(path[1]),
    )


def _lines(data: str) -> tuple[tuple[Point, ...], ...]:
    if re.sub(_TOKEN, "", data).strip(" ,"):
        raise ValueError("the path has more than straight lines")
    tokens = _TOKEN.findall(data)
    lines: list[list[Point]] = []
    verb, x, y = "", 0.0, 0.0
    while tokens:
        if tokens[0].isalpha():
            verb = tokens.pop(0)
        relative = (x, y) if verb.islower() else (0.0, 0.0)
        if verb in "Hh":
            x = relative[0] + float(tokens.pop(0))
        elif verb in "Vv":
            y = relative[1] + float(tokens.pop(0))
        else:
            x = relative[0] + float(tokens.pop(0))
            y = relative[1] + float(tokens.pop(0))
        if verb == "M":
            lines.append([])
            verb = "L"
        lines[-1].append((x, y))
    return tuple(tuple(line) for line in lines)


def draw(
    drawing: Drawing, pixels: int, *, scale: float = 1.0, round_corners: bool = True
) -> Image.Image:
    """One icon; ``scale`` makes the lines smaller around the middle of their square."""
    large = pixels * FINER
    unit = large / drawing.size
    picture = Image.new("RGBA", (large, large), drawing.ground if not round_corners else "#0000")
    pen = ImageDraw.Draw(picture)
    if round_corners:
        pen.rounded_rectangle((0, 0, large - 1, large - 1), drawing.corner * unit, drawing.ground)
    middle = drawing.size / 2
    half = drawing.width * scale * unit / 2

    def place(point: Point) -> Point:
        x, y = ((middle + (value - middle) * scale) * unit for value in point)
        return x, y

    for line in drawing.lines:
        points = [place(point) for point in line]
        pen.line(points, drawing.ink, round(2 * half))
        for x, y in points:
            pen.ellipse((x - half, y - half, x + half, y + half), drawing.ink)
    return picture.resize((pixels, pixels), Image.Resampling.LANCZOS)


def icons(drawing: Drawing) -> dict[str, Image.Image]:
    """Every icon by its file name."""
    made = {}
    for pixels in (192, 512):
        made[f"icon-{pixels}.png"] = draw(drawing, pixels)
        made[f"icon-maskable-{pixels}.png"] = draw(
            drawing, pixels, scale=SAFE, round_corners=False
        ).convert("RGB")
    made["icon-touch.png"] = draw(drawing, 180, scale=TOUCH, round_corners=False).convert("RGB")
    return made


def differing(folder: Path = FOLDER) -> list[str]:
    """Names of icons that are missing or are not what the drawing gives."""
    found = []
    for name, picture in icons(read((folder / "linli.svg").read_text("utf-8"))).items():
        path = folder / name
        if not path.is_file():
            found.append(name)
            continue
        with Image.open(path) as kept:
            same = kept.mode == picture.mode and kept.size == picture.size
            if not same or ImageChops.difference(kept, picture).getbbox(alpha_only=False):
                found.append(name)
    return found


def main(arguments: list[str]) -> int:
    """Write the icons, or say which differ."""
    if arguments == ["--check"]:
        for name in (faults := differing()):
            sys.stderr.write(
                f"static/img/{name} is not what linli.svg gives: python -m provisioning.icons\n"
            )
        return 1 if faults else 0
    for name, picture in icons(read((FOLDER / "linli.svg").read_text("utf-8"))).items():
        picture.save(FOLDER / name, optimize=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
