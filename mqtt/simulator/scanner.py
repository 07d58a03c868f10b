"""Reads QR codes out of pictures, as a gate's camera does.

The chain goes from quick to thorough and stops at the first picture in which something is read:
zxing-cpp on the grey picture, with stretched contrast, after a median filter, at double size, then
pyzbar on the grey and the doubled picture. pyzbar needs libzbar; without it the chain is
zxing-cpp alone, and the log says so once.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import structlog
import zxingcpp
from PIL import Image, ImageFilter, ImageOps, UnidentifiedImageError

from mqtt.simulator.zbar import ZbarMissingError
from mqtt.simulator.zbar import load as load_zbar

CODE_PREFIX: Final = "LL1:"
"""A pass begins so; of several codes in a picture it is the one a gate reads."""
MAX_IMAGE_BYTES: Final = 20_000_000
MAX_PIXELS: Final = 40_000_000
_DOUBLE_BELOW: Final = 4_000_000
"""A picture of more pixels than this is not enlarged."""

log = structlog.get_logger(__name__)


class ImageError(ValueError):
    """The bytes are no picture, or one too large to read."""


Reader = Callable[[Image.Image], list[str]]


def _zxing(image: Image.Image) -> list[str]:
    found = zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)
    return [str(code.text) for code in found if code.text]


@cache
def _zbar() -> Any:
    try:
        return load_zbar()
    except ZbarMissingError as error:
        log.warning("pyzbar_missing", reason=str(error))
        return None


def _pyzbar(image: Image.Image) -> list[str]:
    module = _zbar()
    if module is None:
        return []
    symbols = module.decode(image, symbols=[module.ZBarSymbol.QRCODE])
    return [symbol.data.decode("utf-8", "replace") for symbol in symbols if symbol.data]


def _attempts(image: Image.Image) -> Iterator[tuple[Reader, Image.Image]]:
    yield _zxing, image
    yield _zxing, ImageOps.autocontrast(image, cutoff=2)
    yield _zxing, image.filter(ImageFilter.MedianFilter(3))
    yield _zxing, ImageOps.equalize(image)
    large = None
    if image.width * image.height <= _DOUBLE_BELOW:
        large = image.resize((image.width * 2, image.height * 2), Image.Resampling.BICUBIC)
        yield _zxing, large
    yield _pyzbar, image
    if large is not None:
        yield _pyzbar, ImageOps.autocontrast(large, cutoff=2)


def _open(source: bytes | Path) -> Image.Image:
    try:
        data = source if isinstance(source, bytes) else source.read_bytes()
        if len(data) > MAX_IMAGE_BYTES:
            raise ImageError(f"a picture of more than {MAX_IMAGE_BYTES} bytes")
        with Image.open(io.BytesIO(data)) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise ImageError(f"a picture of more than {MAX_PIXELS} pixels")
            turned = ImageOps.exif_transpose(picture)
            if "A" in turned.getbands() or "transparency" in turned.info:
                turned = turned.convert("RGBA")
                white = Image.new("RGBA", turned.size, "white")
                turned = Image.alpha_composite(white, turned)
            return turned.convert("L")
    except (UnidentifiedImageError, OSError, SyntaxError, Image.DecompressionBombError) as error:
        raise ImageError(f"not a picture: {error}") from error


def decode(source: bytes | Path) -> list[str]:
    """The texts of the QR codes in a picture (bytes of a PNG or JPEG, or a path).

    An empty list when there is none to be read.

    Raises:
        ImageError: the source is no picture.
    """
    for reader, image in _attempts(_open(source)):
        texts = reader(image)
        if texts:
            return list(dict.fromkeys(texts))
    return []


def decode_pass(source: bytes | Path) -> str | None:
    """The code a gate takes from a picture: a pass where there is one, else the first code."""
    texts = decode(source)
    passes = [text for text in texts if text.startswith(CODE_PREFIX)]
    return next(iter(passes or texts), None)
