"""The poster: its code says where to register, and nothing else."""

from __future__ import annotations

import io
import re

import segno
import zxingcpp
from PIL import Image, ImageDraw

from portal.config import Config
from portal.regions.models import Region
from portal.residents.posters import registration_url
from tests.portal.cast import USCC, Town


def drawn(page: str) -> Image.Image:
    """The code of the page as a picture, drawn from the path in its SVG (rows of horizontal strokes)."""
    box = re.search(
        r'viewBox="0 0 (\d+) (\d+)"(?:(?!viewBox).)*?<path class="qrline"[^>]* d="([^"]+)"',
        page,
        re.DOTALL,
    )
    assert box is not None
    size = int(box[1])
    picture = Image.new("L", (size, size), 255)
    pen = ImageDraw.Draw(picture)
    x, y = 0.0, 0.0
    for command, arguments in re.findall(r"([Mmh])\s*([-\d. ]+)", box[3]):
        numbers = [float(n) for n in re.findall(r"-?[\d.]+", arguments)]
        if command == "M":
            x, y = numbers
        elif command == "m":
            x, y = x + numbers[0], y + numbers[1]
        else:
            row = int(y)
            pen.line([(int(x), row), (int(x + numbers[0]) - 1, row)], fill=0)
            x += numbers[0]
    return picture.resize((size * 8, size * 8), Image.Resampling.NEAREST)


def test_a_phone_reads_the_address_off_the_poster(town: Town) -> None:
    town.config = Config(data_dir=town.config.data_dir, public_url="https://linli.example/")
    page = town.person("worker").get(f"/work/communities/{town.ids['community']}/poster").text
    (read,) = zxingcpp.read_barcodes(drawn(page))
    assert read.text == f"https://linli.example/r/{USCC}"
    assert town.person().get(read.text.removeprefix("https://linli.example")).status_code == 200


def test_the_poster_names_the_community_in_both_languages(town: Town) -> None:
    for language in ("en", "zh_Hans_CN"):
        page = (
            town.person("manager", language)
            .get(f"/work/communities/{town.ids['community']}/poster")
            .text
        )
        for words in ("翠湖社区", USCC, "扫码登记", "Scan to register"):
            assert words in page


def test_a_community_without_code_has_no_poster_yet(town: Town) -> None:
    with town.db.write() as session:
        session.get(Region, town.ids["community"]).uscc = None  # type: ignore[union-attr]
    worker = town.person("worker")
    answer = worker.get(f"/work/communities/{town.ids['community']}/poster")
    assert answer.status_code == 409
    assert "no unified social credit code" in answer.text
    assert "No unified social credit code" in worker.get("/work/communities").text


def test_only_communities_have_posters(town: Town) -> None:
    worker = town.person("supervisor")
    for other in (town.ids["county"], 9999):
        assert worker.get(f"/work/communities/{other}/poster").status_code == 404


def test_the_list_shows_ones_own_communities(town: Town) -> None:
    page = town.person("worker").get("/work/communities").text
    assert "翠湖社区" in page
    assert "东苑社区" not in page


def test_the_address_is_what_segno_can_hold_on_a_poster() -> None:
    code = segno.make_qr(
        registration_url("https://a-rather-long-name.example.org", USCC), error="q"
    )
    buffer = io.BytesIO()
    code.save(buffer, kind="png", scale=4, border=4)
    (read,) = zxingcpp.read_barcodes(Image.open(buffer))
    assert read.text.endswith(USCC)
