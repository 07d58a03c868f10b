"""`linli regions`: import with a dry run and JSON, show by present and former code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from portal.cli import main
from tests.portal.regions.conftest import CSV


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LINLI_DATA_DIR", str(tmp_path / "data"))

    def go(*arguments: str, given: bytes | None = None) -> Result:
        return CliRunner().invoke(main, list(arguments), input=given, prog_name="linli")

    assert go("db", "upgrade").exit_code == 0
    return go


def test_a_first_installation_is_filled_from_a_file(run) -> None:
    dry = run("regions", "import", "-", "--dry-run", "--json", given=CSV.encode("gbk"))
    assert dry.exit_code == 0, dry.output
    answer = json.loads(dry.output)
    assert (answer["applied"], answer["encoding"], answer["counts"]["created"]) == (
        False,
        "GBK",
        14,
    )
    assert run("regions", "show", "990101").exit_code == 1

    done = run("regions", "import", "-", given=CSV.encode())
    assert done.exit_code == 0
    assert "created    14" in done.output
    assert "applied" in done.output
    again = json.loads(run("regions", "import", "-", "--json", given=CSV.encode()).output)
    assert again["counts"]["unchanged"] == 14

    renamed = "code,name,previous\n990101005,演示街道,990101001\n"
    assert run("regions", "import", "-", given=renamed.encode()).exit_code == 0
    shown = json.loads(run("regions", "show", "990101001001", "--json").output)
    assert shown["code"] == "990101005001"
    assert shown["above"] == ["演示省", "示范市", "样板区", "演示街道"]
    assert shown["settings"]["visitors.longest_stay_days"] == 7
    assert shown["history"][0]["from_code"] == "990101001001"
    assert "邻里社区" in run("regions", "show", "990101005001").output


def test_faults_are_listed_by_line_and_nothing_is_changed(run) -> None:
    answer = run("regions", "import", "-", given=b"code,name\n11,x\n1105,y\n119999999999,\n")
    assert answer.exit_code == 1
    assert "line 4" in answer.stderr
    assert run("regions", "show", "11").exit_code == 1
    broken = run("regions", "import", "-", given=b"\x00")
    assert broken.exit_code == 1
    assert "UTF-8" in broken.stderr
