import io
import random
from pathlib import Path

import pytest
import segno
from PIL import Image, ImageEnhance, ImageFilter

from mqtt.simulator import scanner
from mqtt.simulator.zbar import ZbarMissingError
from tests.mqtt.simulator.machines import CODE


def _code(text: str = CODE, scale: int = 6) -> Image.Image:
    out = io.BytesIO()
    segno.make(text, error="m").save(out, kind="png", scale=scale, border=4)
    return Image.open(io.BytesIO(out.getvalue())).convert("L")


def _bytes(image: Image.Image, kind: str = "PNG", **options: int) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def _faint(image: Image.Image) -> Image.Image:
    return ImageEnhance.Brightness(ImageEnhance.Contrast(image).enhance(0.15)).enhance(0.6)


def _speckled(image: Image.Image) -> Image.Image:
    rng = random.Random(3)
    noisy = image.copy()
    for _ in range(image.width * image.height // 30):
        noisy.putpixel(
            (rng.randrange(image.width), rng.randrange(image.height)), rng.choice((0, 255))
        )
    return noisy


def _on_a_screen(image: Image.Image) -> Image.Image:
    page = Image.new("L", (720, 1280), 235)
    page.paste(image, (180, 400))
    return page


@pytest.mark.parametrize(
    "spoil",
    [
        lambda image: image,
        lambda image: image.rotate(17, expand=True, fillcolor=255),
        lambda image: image.filter(ImageFilter.GaussianBlur(2)),
        _faint,
        _speckled,
        _on_a_screen,
        lambda image: image.resize((image.width // 3, image.height // 3)),
    ],
    ids=["clean", "turned", "blurred", "faint", "speckled", "screenshot", "small"],
)
def test_a_code_is_read_from_what_a_camera_sees(spoil) -> None:
    assert scanner.decode(_bytes(spoil(_code()))) == [CODE]


def test_a_photograph_in_jpeg_and_a_file_are_read(tmp_path: Path) -> None:
    photograph = _bytes(_code().convert("RGB"), "JPEG", quality=40)
    assert scanner.decode(photograph) == [CODE]
    path = tmp_path / "pass.jpg"
    path.write_bytes(photograph)
    assert scanner.decode(path) == [CODE]


def test_a_transparent_picture_is_seen_on_white() -> None:
    code = _code().convert("RGBA")
    pixels = code.load()
    for x in range(code.width):
        for y in range(code.height):
            if pixels[x, y][0] > 128:
                pixels[x, y] = (0, 0, 0, 0)
    assert scanner.decode(_bytes(code)) == [CODE]


def test_of_two_codes_the_gate_takes_the_pass() -> None:
    page = Image.new("L", (1000, 1100), 255)
    page.paste(_code("https://example.org/notice"), (50, 50))
    page.paste(_code(), (500, 600))
    assert sorted(scanner.decode(_bytes(page))) == sorted([CODE, "https://example.org/notice"])
    assert scanner.decode_pass(_bytes(page)) == CODE


def test_an_empty_picture_has_no_code() -> None:
    blank = _bytes(Image.new("L", (300, 300), 255))
    assert scanner.decode(blank) == []
    assert scanner.decode_pass(blank) is None


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\x89PNG\r\n\x1a\n" + b"x" * 50])
def test_bytes_that_are_no_picture_are_named_so(data: bytes) -> None:
    with pytest.raises(scanner.ImageError):
        scanner.decode(data)


def test_a_torn_picture_and_a_missing_file_are_errors(tmp_path: Path) -> None:
    with pytest.raises(scanner.ImageError):
        scanner.decode(_bytes(_code())[:200])
    with pytest.raises(scanner.ImageError):
        scanner.decode(tmp_path / "nothing.png")


def test_a_huge_picture_is_refused_before_it_is_unpacked() -> None:
    with pytest.raises(scanner.ImageError, match="pixels"):
        scanner.decode(_bytes(Image.new("1", (8000, 6000), 1)))


def test_pyzbar_reads_at_the_end_of_the_chain(monkeypatch: pytest.MonkeyPatch) -> None:
    if scanner._zbar() is None:
        pytest.skip("needs libzbar0")
    monkeypatch.setattr(scanner, "_zxing", lambda _image: [])
    picture = _bytes(_code())
    attempts = scanner._attempts(scanner._open(picture))
    assert next(texts for reader, image in attempts if (texts := reader(image))) == [CODE]


def test_without_libzbar_the_chain_is_zxing_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ZbarMissingError("libzbar is missing")

    monkeypatch.setattr(scanner, "load_zbar", missing)
    scanner._zbar.cache_clear()
    try:
        assert scanner.decode(_bytes(_code())) == [CODE]
        assert scanner.decode(_bytes(Image.new("L", (60, 60), 255))) == []
    finally:
        scanner._zbar.cache_clear()
