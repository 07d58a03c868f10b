"""Regions on a running system: a file with faults, its look and its effect; the generator; settings."""

import json
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser import looks
from tests.browser.people import DESK, PHONE, People

pytestmark = pytest.mark.system

COMMUNITY = "990101001001"
TOWNSHIP = "990101001000"


def _file(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "regions.csv"
    path.write_bytes(text.encode(encoding))
    return path


def _check(page: Page, file: Path) -> None:
    page.locator("input[type=file]").set_input_files(file)
    page.get_by_role("button", name="检查文件").click()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_file_is_mended_looked_at_and_applied(
    people: People, tmp_path: Path, size: tuple[int, int]
) -> None:
    page = people.signed_in("sysadmin", size=size)
    code = "990101001011" if size == PHONE else "990101001012"
    page.goto("/work/regions")
    page.get_by_role("link", name="导入区划代码").click()

    _check(page, _file(tmp_path, f"代码,名称\n{code},=1+1\n{code[:7]},短\n", "gbk"))
    expect(page.get_by_text("文件有 2 处错误，无法应用")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="单元格不能以")).to_contain_text("2")
    assert page.get_by_role("button", name="应用").count() == 0
    with page.expect_download() as download:
        page.get_by_role("link", name="下载清单").click()
    listed = Path(download.value.path()).read_text("utf-8-sig").splitlines()
    assert listed[0] == "行,列,问题,单元格内容"
    assert len(listed) == 3
    assert looks.too_wide(page) == []

    page.get_by_role("link", name="重新上传").click()
    _check(page, _file(tmp_path, f"代码,名称\n{code},试验{code[-2:]}社区\n", "gbk"))
    expect(page.get_by_text("按 GBK 读取")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text=code)).to_be_visible()
    assert page.request.get(f"/work/regions/{code}").status == 404
    page.get_by_role("button", name="应用").click()
    expect(page.get_by_text("文件已应用。")).to_be_visible()
    assert page.request.get(f"/work/regions/{code}").status == 200

    # The tree brings what is below a name when it is opened, level by level.
    page.goto("/work/regions")
    for name in ("演示省", "示范市", "样板区", "演示街道"):
        page.get_by_label(f"展开{name}的下级").click()
    expect(page.get_by_role("link", name=f"试验{code[-2:]}社区")).to_be_visible()
    assert looks.too_wide(page) == []
    page.get_by_role("link", name=f"试验{code[-2:]}社区").click()
    page.get_by_role("link", name="合并").click()
    page.get_by_label("并入哪个区域").select_option(COMMUNITY)
    page.get_by_role("button", name="查看将变更的内容").click()
    page.get_by_label("原因").fill("试验结束")
    page.get_by_role("button", name="确认合并").click()
    expect(page.get_by_text("合并完成，原代码指向此处。")).to_be_visible()
    page.goto(f"/work/regions/{code}")
    expect(page.get_by_text(f"代码 {code} 现指向此处。")).to_be_visible()


def test_dwellings_are_generated_after_a_look_on_a_phone(people: People) -> None:
    page = people.signed_in("manager")
    page.goto(f"/work/regions/{COMMUNITY}/buildings")
    page.get_by_role("link", name="批量生成").click()
    page.get_by_label("起始号").fill("21")
    page.get_by_label("结束号").fill("22")
    page.get_by_label("层数").fill("many")
    page.get_by_role("button", name="预览").click()
    expect(page.locator("#floors-error")).to_contain_text("请输入 1 至 80 之间的整数。")
    page.get_by_label("层数").fill("3")
    page.get_by_role("button", name="预览").click()
    expect(page.get_by_role("heading", name="将要生成")).to_be_visible()
    expect(page.get_by_text("22号楼 1单元 302")).to_be_visible()
    assert looks.too_wide(page) == []
    page.get_by_role("button", name="确认生成").click()
    expect(page.get_by_text("已新增房屋 12 户。")).to_be_visible()

    page.get_by_label("21号楼").check()
    page.get_by_label("网格", exact=True).select_option("第一网格")
    page.get_by_role("button", name="划入网格").click()
    expect(page.get_by_text("已调整网格的房屋：6 户。")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="21号楼")).to_contain_text("第一网格")


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_a_community_tightens_what_the_county_set(people: People, size: tuple[int, int]) -> None:
    page = people.signed_in("manager", size=size)
    page.goto(f"/work/regions/{COMMUNITY}")
    page.get_by_role("link", name="设置").click()
    card = page.locator("section.card").filter(has_text="访客最长停留")
    expect(card).to_contain_text("来自样板区")
    card.get_by_label("本级设置").fill("9")
    card.get_by_role("button", name="在此设置").click()
    expect(card).to_contain_text("不能超过上级的设置")
    card.get_by_label("本级设置").fill("3")
    card.get_by_role("button", name="在此设置").click()
    expect(card).to_contain_text("3 天")
    assert looks.too_wide(page) == []

    resident = people.signed_in(people.resident)
    resident.goto("/visitors/new")
    expect(resident.get_by_text("最长停留 3 天")).to_be_visible()
    card.get_by_role("button", name="撤回").click()
    expect(card).to_contain_text("来自样板区")


def test_machines_read_the_same_tree(people: People) -> None:
    document = json.loads(people.stranger().request.get("/api/v1/openapi.json").text())
    assert "/api/v1/regions/{code}/history" in document["paths"]
