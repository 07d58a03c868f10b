"""pyzbar with the library that is there, and the word about one that is not."""

import io
import shutil
import sys
from pathlib import Path

import pytest
import segno
from PIL import Image

from mqtt.simulator import zbar
from mqtt.unpacked import find_unpacked
from tests.services.requirement import lacking

TEXT = "LL1:NCFOXN%TSMAHN-H9QCGDSB5QPN9"


def _picture(text: str) -> Image.Image:
    drawn = io.BytesIO()
    segno.make(text, error="m").save(drawn, kind="png", scale=6)
    return Image.open(drawn)


@pytest.fixture
def _unloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """pyzbar as in a process that has not imported it."""
    for name in [name for name in sys.modules if name.partition(".")[0] == "pyzbar"]:
        monkeypatch.delitem(sys.modules, name)


def test_a_drawn_code_is_read() -> None:
    try:
        pyzbar = zbar.load()
    except zbar.ZbarMissingError:
        lacking("libzbar0")
    assert [code.data.decode() for code in pyzbar.decode(_picture(TEXT))] == [TEXT]
    assert zbar.load() is pyzbar


@pytest.mark.usefixtures("_unloaded")
def test_a_missing_library_is_told_with_the_way_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(zbar, "_SONAME", "libzbar-of-nowhere.so.0")
    with pytest.raises(zbar.ZbarMissingError, match=r"apt-get install libzbar0[\s\S]*unpack"):
        zbar.load(tmp_path)


@pytest.mark.usefixtures("_unloaded")
def test_a_damaged_unpacked_library_is_told(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(zbar, "_SONAME", "libzbar.so.of.nowhere")
    folder = tmp_path / "system/libzbar0/usr/lib/x86_64-linux-gnu"
    folder.mkdir(parents=True)
    (folder / "libzbar.so.of.nowhere").write_bytes(b"\x7fELF and no more")
    (folder / "libjpeg.so.62").write_bytes(b"\x7fELF and no more")
    (tmp_path / "system/libzbar0/unpacked.txt").touch()
    with pytest.raises(zbar.ZbarMissingError, match="unpack it again"):
        zbar.load(tmp_path)


@pytest.mark.usefixtures("_unloaded")
def test_an_unpacked_library_reads_codes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    installed = sorted(Path("/usr/lib").glob("*-linux-*/libzbar.so.0"))
    unpacked = find_unpacked("libzbar0")
    if not installed and not unpacked:
        lacking("libzbar0")
    root = tmp_path / "system/libzbar0"
    folder = root / "usr/lib/x86_64-linux-gnu"
    if installed:
        folder.mkdir(parents=True)
        shutil.copy(installed[0], folder / "libzbar-unpacked.so.0")
    elif unpacked:
        shutil.copytree(unpacked.root, root, symlinks=True)
        library = unpacked.library("libzbar.so.0")
        assert library is not None
        folder = root / library.parent.relative_to(unpacked.root)
        shutil.copy(library, folder / "libzbar-unpacked.so.0")
    monkeypatch.setattr(zbar, "_SONAME", "libzbar-unpacked.so.0")  # not on the loader's path
    (root / "unpacked.txt").touch()
    pyzbar = zbar.load(tmp_path)
    assert [code.data.decode() for code in pyzbar.decode(_picture(TEXT))] == [TEXT]
