"""The app's icons are what the drawing gives."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from PIL import Image

from provisioning import icons


def test_the_icons_that_are_checked_in_are_what_the_drawing_gives() -> None:
    assert icons.differing() == []


def test_a_missing_and_an_altered_icon_are_named(tmp_path: Path) -> None:
    folder = tmp_path / "img"
    shutil.copytree(icons.FOLDER, folder)
    (folder / "icon-192.png").unlink()
    with Image.open(folder / "icon-512.png") as picture:
        altered = picture.copy()
    altered.putpixel((256, 256), (255, 0, 0, 255))
    altered.save(folder / "icon-512.png")
    assert icons.differing(folder) == ["icon-192.png", "icon-512.png"]


def test_maskable_icons_fill_the_square_and_keep_the_drawing_in_the_safe_zone() -> None:
    drawing = icons.read((icons.FOLDER / "linli.svg").read_text("utf-8"))
    picture = icons.icons(drawing)["icon-maskable-512.png"]
    ground = picture.getpixel((0, 0))
    assert picture.mode == "RGB"
    assert all(picture.getpixel(corner) == ground for corner in ((511, 0), (0, 511), (511, 511)))
    outside = [
        (x, y)
        for x in range(512)
        for y in range(512)
        if (x - 256) ** 2 + (y - 256) ** 2 > (0.4 * 512) ** 2
    ]
    assert all(picture.getpixel(point) == ground for point in outside)


@pytest.mark.parametrize(
    "change",
    [
        ("M6.500 25V12.500", "M6.500 25C12.500 1 2 3 4"),
        ("</svg>", '<circle r="3"/></svg>'),
        ("<rect ", "<rect id='x' "),
    ],
)
def test_a_drawing_of_another_kind_is_refused(change: tuple[str, str]) -> None:
    text = (icons.FOLDER / "linli.svg").read_text("utf-8")
    assert change[0] in text
    with pytest.raises(ValueError, match=r"path|drawing"):
        icons.read(text.replace(*change))
