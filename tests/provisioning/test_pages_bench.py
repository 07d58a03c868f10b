"""The bench of pages: what it takes from several openings, and what it says where there is no browser."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any, cast

import pytest
from click.testing import CliRunner

from provisioning.bench import pages
from provisioning.bench.form import Report
from provisioning.bench.pages import Opener, Seen


class _Told:
    """Answers as if pages had been opened."""

    def __init__(self, *seen: Seen) -> None:
        self._seen = list(seen)

    def open(self, who: str, place: str) -> Seen:
        return self._seen.pop()


def test_medians_of_times_and_weights_and_the_worst_shift() -> None:
    opener = _Told(
        Seen(weight=44_000, requests=5, painted=300, interactive=400, shift=0.0),
        Seen(weight=40_000, requests=5, painted=500, interactive=900, shift=0.2),
        Seen(weight=42_000, requests=6, painted=350, interactive=450, shift=0.0),
    )
    report = Report("pages")
    pages._measure(report, cast(Opener, opener), "resident", "/home", 3)
    values: dict[str, Any] = {row.metric: row.value for row in report.rows}
    assert values == {
        "weight": 42.0,
        "requests": 5,
        "first paint": 350.0,
        "interactive": 450.0,
        "worst": 900.0,
        "layout shift": 0.2,
    }


def test_without_a_browser_it_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    file = tmp_path / "pages.json"
    done = CliRunner().invoke(pages.command, ["--quick", "--json", str(file)])
    assert done.exit_code == 0, done.output
    rows = json.loads(file.read_text("utf-8"))["rows"]
    assert rows == [
        {
            "case": "all pages",
            "metric": "skipped",
            "unit": "",
            "value": "Chromium is not on this machine",
        }
    ]
