"""The portal as an app: manifest, icons, worker, and the page for when there is no network."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from PIL import Image

from portal.web.shell import PAPER, SURFACE
from tests.portal.village import People

TOKENS = Path(__file__).parents[3] / "portal/web/front/css/parts/tokens.css"


@pytest.mark.parametrize(
    ("language", "name", "shortcuts"),
    [
        ("en", "Linli – your community", ["My pass", "Invite a visitor"]),
        ("zh_Hans_CN", "邻里 – 您的社区", ["我的通行码", "邀请访客"]),
    ],
)
def test_the_manifest_speaks_the_language_of_the_page(
    people: People, language: str, name: str, shortcuts: list[str]
) -> None:
    page = people.client("resident", language).get("/home").text
    address = re.search(r'<link rel="manifest" href="([^"]+)">', page)
    assert address
    # Browsers fetch it without cookies, and with whatever languages they like.
    answer = people.app.test_client().get(
        address[1].replace("&amp;", "&"), headers={"Accept-Language": "fr"}
    )
    assert answer.content_type == "application/manifest+json"
    assert answer.headers["Cache-Control"] == "no-cache"
    manifest = answer.get_json(force=True)
    assert manifest["name"] == name
    assert manifest["lang"] == {"en": "en", "zh_Hans_CN": "zh-Hans-CN"}[language]
    assert [one["name"] for one in manifest["shortcuts"]] == shortcuts
    assert [one["url"] for one in manifest["shortcuts"]] == ["/pass", "/visitors/new"]
    assert (manifest["id"], manifest["start_url"], manifest["scope"]) == ("/", "/", "/")
    assert manifest["display"] == "standalone"


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_manifest_has_the_colours_of_the_theme(people: People, theme: str) -> None:
    manifest = people.client().get(f"/manifest.webmanifest?theme={theme}").get_json(force=True)
    assert manifest["background_color"] == PAPER[theme]
    assert manifest["theme_color"] == SURFACE[theme]
    sheet = TOKENS.read_text("utf-8")
    assert f"--paper: {PAPER[theme]};" in sheet
    assert f"--surface: {SURFACE[theme]};" in sheet


def test_nonsense_in_the_address_of_the_manifest_means_the_defaults(people: People) -> None:
    answer = people.client().get("/manifest.webmanifest?language=xx&theme=%3Cb%3E")
    assert answer.status_code == 200
    assert answer.get_json(force=True)["theme_color"] == SURFACE["light"]


def test_every_icon_has_the_size_that_is_told(people: People) -> None:
    client = people.client()
    icons = client.get("/manifest.webmanifest").get_json(force=True)["icons"]
    assert {(one["sizes"], one["purpose"]) for one in icons} == {
        ("192x192", "any"),
        ("512x512", "any"),
        ("192x192", "maskable"),
        ("512x512", "maskable"),
    }
    for one in icons:
        with client.get(one["src"]) as answer:
            assert answer.content_type == "image/png"
            assert "immutable" in answer.headers["Cache-Control"]
            drawn = answer.data
        with Image.open(io.BytesIO(drawn)) as picture:
            assert "x".join(map(str, picture.size)) == one["sizes"]


def test_the_worker_stands_at_the_root_and_is_asked_for_each_time(people: People) -> None:
    client = people.client()
    answer = client.get("/service-worker.js")
    assert answer.content_type.startswith("text/javascript")
    assert answer.headers["Service-Worker-Allowed"] == "/"
    assert answer.headers["Cache-Control"] == "no-cache"
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
    again = client.get("/service-worker.js", headers={"If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304


@pytest.mark.parametrize("who", [None, "resident", "worker"])
def test_the_page_without_network_is_about_nobody(people: People, who: str | None) -> None:
    page = people.client(who).get("/offline").text
    assert page == people.client("neighbour").get("/offline").text
    assert "There is no network" in page
    assert "<form" not in page
    assert "csrf" not in page
    assert '<nav class="nav' not in page


def test_it_comes_in_the_language_and_look_of_the_person(people: People) -> None:
    client = people.client("resident", "zh_Hans_CN")
    client.set_cookie("text", "large")
    client.set_cookie("theme", "dark")
    page = client.get("/offline").text
    assert "没有网络" in page
    assert 'data-theme="dark" data-text="large"' in page


def test_pages_tell_a_phone_who_holds_it_without_saying_who(people: People) -> None:
    def mark(who: str | None) -> str | None:
        page = people.client(who).get("/")
        if page.status_code == 302:
            page = people.client(who).get(page.location)
        found = re.search(r'name="linli-holder" content="([^"]+)"', page.text)
        return found and found[1]

    marks = [mark("resident"), mark("neighbour"), mark("resident")]
    assert marks[0] == marks[2] != marks[1]
    assert all(one and re.fullmatch(r"[0-9a-f]{16}", one) for one in marks)
    assert mark("worker") is mark(None) is None


def test_the_mark_stands_on_the_page_of_the_pass_too(people: People) -> None:
    page = people.client("resident").get("/pass").text
    assert re.search(r'name="linli-holder" content="[0-9a-f]{16}"', page)


def test_what_is_kept_changes_its_name_with_language_and_look(people: People) -> None:
    def look(language: str, text: str) -> str:
        client = people.client("resident", language)
        client.set_cookie("text", text)
        found = re.search(r'name="linli-look" content="([^"]+)"', client.get("/home").text)
        assert found
        return found[1]

    assert len({look(a, b) for a in ("en", "zh_Hans_CN") for b in ("normal", "large")}) == 4


def test_signing_out_clears_what_the_browser_keeps(people: People) -> None:
    client = people.client("resident")
    answer = client.post("/sign-out")
    assert answer.headers["Clear-Site-Data"] == '"storage"'
    assert client.get("/home").status_code == 302


def test_the_bar_above_the_app_follows_the_theme(people: People) -> None:
    client = people.client("resident")
    page = client.get("/home").text
    for theme, colour in SURFACE.items():
        assert (
            f'data-theme="{theme}" content="{colour}" media="(prefers-color-scheme: {theme})"'
            in page
        )
    client.set_cookie("theme", "dark")
    page = client.get("/home").text
    assert f'content="{SURFACE["dark"]}" media="all"' in page
    assert f'content="{SURFACE["light"]}" media="not all"' in page


def test_the_hint_to_install_goes_for_good(people: People) -> None:
    client = people.client("resident")
    assert "data-install-hint" in client.get("/home").text
    answer = client.post("/display", data={"hint": "hidden", "back": "/home"})
    assert answer.location == "/home"
    assert "data-install-hint" not in client.get("/home").text
    assert "data-install-hint" in client.get("/me").text
