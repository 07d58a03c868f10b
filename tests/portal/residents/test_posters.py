"""The poster: its code says where to register, and nothing else."""

from __future__ import annotations

import io
import re

import pypdfium2
import pytest
import segno
import zxingcpp
from PIL import Image, ImageDraw

from portal.config import Config
from portal.core import typefaces
from portal.core.typefaces import Typeface
from portal.regions.models import Region
from portal.residents import poster_sheet
from portal.residents.poster_sheet import Sheet, draw
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


def opened(pdf: bytes) -> tuple[str, Image.Image, tuple[float, float], int]:
    """Text, picture at 100 dots per inch, size in points and number of pages of a PDF file."""
    document = pypdfium2.PdfDocument(pdf)
    page = document[0]
    text_page = page.get_textpage()
    try:
        return (
            text_page.get_text_range(),
            page.render(scale=100 / 72).to_pil(),
            page.get_size(),
            len(document),
        )
    finally:
        text_page.close()
        page.close()
        document.close()


def poster_path(town: Town, place: str = "community") -> str:
    return f"/work/communities/{town.ids[place]}/poster.pdf"


def test_the_pdf_is_one_a4_page_whose_code_a_phone_reads(town: Town) -> None:
    town.config = Config(data_dir=town.config.data_dir, public_url="https://linli.example/")
    answer = town.person("worker").get(poster_path(town))
    assert answer.mimetype == "application/pdf"
    _, picture, size, pages = opened(answer.data)
    assert pages == 1
    assert size == pytest.approx((595.28, 841.89), abs=0.1)
    (read,) = zxingcpp.read_barcodes(picture)
    assert read.text == f"https://linli.example/r/{USCC}"


def test_the_pdf_says_who_and_what_to_do_in_both_languages(town: Town) -> None:
    text = opened(town.person("manager").get(poster_path(town)).data)[0]
    for words in (
        "翠湖社区",
        USCC,
        f"/r/{USCC}",
        "扫码登记，领取通行码",
        "Scan to register and get your pass",
        "用手机相机或微信扫描二维码",
        "Scan the code with your phone",
        "统一社会信用代码",
        "Unified social credit code",
        "登记免费",
        "Free of charge",
    ):
        assert words in text


def test_the_file_has_a_sensible_name_and_is_fetched_again_only_when_it_changed(
    town: Town,
) -> None:
    worker = town.person("worker")
    page = worker.get(f"/work/communities/{town.ids['community']}/poster").text
    assert f'href="{poster_path(town)}" download' in page
    first = worker.get(poster_path(town))
    assert first.headers["Content-Disposition"] == f"attachment; filename=linli-poster-{USCC}.pdf"
    assert first.headers["Cache-Control"] == "private, no-cache"
    tag = {"If-None-Match": first.headers["ETag"]}
    again = worker.get(poster_path(town), headers=tag)
    assert (again.status_code, again.data) == (304, b"")
    with town.db.write() as session:
        session.get_one(Region, town.ids["community"]).name = "碧湖社区"
    changed = worker.get(poster_path(town), headers=tag)
    assert changed.status_code == 200
    assert "碧湖社区" in opened(changed.data)[0]


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("worker", 200),
        ("manager", 200),
        ("gatekeeper", 403),
        ("supervisor", 403),
        ("auditor", 403),
        ("distant", 404),
        ("resident", 403),
        ("outsider", 302),
    ],
)
def test_who_gets_the_pdf(town: Town, name: str, status: int) -> None:
    assert town.person(name).get(poster_path(town)).status_code == status


def test_without_a_chinese_typeface_the_page_says_what_to_do_instead(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(poster_sheet, "chinese", lambda: None)
    answer = town.person("worker").get(poster_path(town))
    assert answer.status_code == 503
    assert "Print the poster from its page instead" in answer.text


def test_a_typeface_of_the_system_stands_in_for_the_packaged_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    there = [path for path in typefaces._SYSTEM if path.is_file()]
    if not there:
        pytest.skip("no Chinese typeface of the system here")
    monkeypatch.setattr(typefaces, "_packaged", lambda: None)
    typefaces.chinese.cache_clear()
    try:
        found = typefaces.chinese()
        assert isinstance(found, Typeface)
        assert found.path == there[0]
        text = opened(draw(Sheet("翠湖社区", USCC, f"https://linli.example/r/{USCC}")))[0]
        assert "翠湖社区" in text
    finally:
        typefaces.chinese.cache_clear()


def test_a_long_name_and_address_stay_on_the_page(town: Town) -> None:
    address = f"https://{'a-very-long-name-of-a-host.' * 3}example.org/r/{USCC}"
    text, picture, _, pages = opened(
        draw(Sheet("朝阳区安和街道翠湖东里北区第十二居民委员会" * 2, USCC, address))
    )
    assert pages == 1
    assert address in text.replace("\r\n", "")
    (read,) = zxingcpp.read_barcodes(picture)
    assert read.text == address
    edge = picture.convert("L").crop((0, 170, 40, picture.height))
    assert edge.getextrema() == (255, 255)
