"""Own sheets and scripts are built, named with their sum, and every one that a page names is there."""

from __future__ import annotations

import base64
import hashlib
import os
import re
import subprocess
from pathlib import Path

import pytest

from portal.web import assets
from tests.portal.cast import Town

ROOT = Path(__file__).parents[3]
WEB = ROOT / "portal/web"
TEMPLATES = sorted((ROOT / "portal").glob("**/templates/**/*.html"))
NAMED = re.compile(r"""(?:asset|stylesheet|script)\(['"]([^'"]+)['"]\)""")


def test_the_page_names_the_sum_of_each_sheet_and_script(town: Town) -> None:
    person = town.person()
    tags = re.findall(r"<(?:link rel=\"stylesheet\"|script) [^>]+>", person.get("/").text)
    assert len(tags) == 3
    for tag in tags:
        address = re.search(r'(?:href|src)="([^"]+)"', tag)
        told = re.search(r'integrity="sha384-([^"]+)"', tag)
        assert address
        assert told
        with person.client.get(address.group(1)) as answer:
            assert base64.b64decode(told.group(1)) == hashlib.sha384(answer.data).digest()
            assert "immutable" in answer.headers["Cache-Control"]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_file_that_a_template_names_is_there(template: Path) -> None:
    text = template.read_text("utf-8")
    for name in NAMED.findall(text):
        assert assets.find(WEB / "static", name).name.endswith(name)
    assert not re.search(r"<script[^>]+src=\"(?!\{)", text)
    assert '<link rel="stylesheet"' not in text


def test_a_file_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        assets.find(tmp_path, "css/none.css")


def test_a_built_file_stands_before_the_one_of_the_same_name(tmp_path: Path) -> None:
    for folder, text in (("built/css", "new"), ("css", "old")):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "app.css").write_text(text)
    found = assets.find(tmp_path, "css/app.css")
    assert found.name == "built/css/app.css"
    assert found.integrity == assets.find(tmp_path, "built/css/app.css").integrity


def test_each_source_has_its_built_file_and_each_built_file_its_source() -> None:
    sources = {path.relative_to(WEB / "front") for path in (WEB / "front").glob("*/*.*")}
    built = {
        path.relative_to(WEB / "static/built")
        for path in (WEB / "static/built").rglob("*.*")
        if path.suffix in {".css", ".js"}
    }
    assert built == sources


def test_what_is_built_is_built_from_what_lies_there() -> None:
    """Fails after a change of front/ without `make assets`; this needs no Node.js."""
    front = WEB / "front"
    sums = sorted(
        f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(front).as_posix()}\n"
        for path in front.rglob("*")
        if path.is_file()
    )
    assert (WEB / "static/built/sources.txt").read_text("utf-8") == "".join(sums)


def test_nothing_built_lets_anything_in_from_elsewhere() -> None:
    for path in (WEB / "static/built").rglob("*.*"):
        text = path.read_text("utf-8")
        assert not re.search(r"https?://(?!www\.w3\.org/)", text), path.name


def test_dark_colours_are_the_same_by_wish_of_the_device_and_of_the_person() -> None:
    sheet = (WEB / "front/css/parts/tokens.css").read_text("utf-8")
    blocks = re.findall(
        r':root(?::not\(\[data-theme="light"\]\)|\[data-theme="dark"\]) \{(.*?)\}', sheet, re.S
    )
    assert len(blocks) == 2
    by_device, by_person = ({line.strip() for line in block.splitlines()} for block in blocks)
    assert by_person - by_device == {"color-scheme: dark;"}
    assert by_device - by_person == set()
    assert len(by_device) > 20


def test_a_file_built_anew_is_named_with_its_new_sum(town: Town, tmp_path: Path) -> None:
    sheet = tmp_path / "css/app.css"
    sheet.parent.mkdir()
    sheet.write_text("a{}")
    town.app.static_folder = str(tmp_path)
    assets.install(town.app)
    stylesheet = town.app.jinja_env.globals["stylesheet"]
    with town.app.test_request_context():
        before = stylesheet("css/app.css")
        assert stylesheet("css/app.css") == before
        sheet.write_text("b{}")
        os.utime(sheet, ns=(1, 1))
        assert stylesheet("css/app.css") != before


def test_without_node_the_check_says_so_and_builds_nothing(tmp_path: Path) -> None:
    for tool in ("bash", "dirname", "sha256sum", "cut"):
        found = subprocess.run(["which", tool], capture_output=True, text=True, check=True)
        (tmp_path / tool).symlink_to(found.stdout.strip())
    done = subprocess.run(
        [ROOT / "provisioning/system/assets.sh", "check"],
        env={"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3
    assert "Node.js is not installed" in done.stderr


@pytest.mark.parametrize("algorithm", ["zstd", "br", "gzip"])
def test_static_files_leave_compressed_and_pages_do_not(town: Town, algorithm: str) -> None:
    client = town.person()
    page = client.get("/", headers={"Accept-Encoding": algorithm})
    assert "Content-Encoding" not in page.headers
    sheet = re.search(r'href="(/static/built/css/app.css[^"]*)"', page.text)
    assert sheet is not None
    plain = client.get(sheet[1], buffered=True)
    small = client.get(sheet[1], buffered=True, headers={"Accept-Encoding": algorithm})
    assert small.headers["Content-Encoding"] == algorithm
    assert "Accept-Encoding" in small.headers["Vary"]
    assert len(small.data) < len(plain.data) / 3
    assert small.headers["ETag"] != plain.headers["ETag"]
