"""The shared form of benches: figures, file, table."""

from __future__ import annotations

import json
from datetime import datetime
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from provisioning.bench.form import Report, free_port, percentile


@pytest.mark.parametrize(
    ("share", "value"), [(0.5, 50.0), (0.95, 95.0), (0.99, 99.0), (1.0, 100.0), (0.0, 1.0)]
)
def test_a_percentile_is_a_value_that_was_measured(share: float, value: float) -> None:
    assert percentile([float(n) for n in range(1, 101)], share) == value


def test_a_percentile_of_nothing_is_no_number() -> None:
    assert str(percentile([], 0.5)) == "nan"
    assert percentile([7.0], 0.99) == 7.0


def report() -> Report:
    made = Report("gate")
    made.add("SQLite, 200/s", "p99", "ms", 12.34567)
    made.add("SQLite, 200/s", "unanswered", "scans", 0)
    made.add("SQLite, 200/s", "p50", "ms", float("nan"))
    made.skip("PostgreSQL", "PostgreSQL is not on this machine")
    return made


def test_the_file_has_the_form_all_benches_share(tmp_path: Path) -> None:
    path = tmp_path / "gate.json"
    report().write(path)
    document = json.loads(path.read_text("utf-8"))
    assert set(document) == {"bench", "at", "machine", "rows"}
    assert datetime.fromisoformat(document["at"]).tzinfo is not None
    assert document["machine"]["cores"] >= 1
    assert document["rows"] == [
        {"case": "SQLite, 200/s", "metric": "p99", "unit": "ms", "value": 12.346},
        {"case": "SQLite, 200/s", "metric": "unanswered", "unit": "scans", "value": 0},
        {
            "case": "PostgreSQL",
            "metric": "skipped",
            "unit": "",
            "value": "PostgreSQL is not on this machine",
        },
    ]


@pytest.mark.parametrize("width", [70, 160])
def test_a_case_that_could_not_run_is_on_the_screen(width: int) -> None:
    text = StringIO()
    report().show(Console(file=text, width=width))
    assert "12.3" in text.getvalue()
    assert "PostgreSQL is not on this machine" in text.getvalue()


def test_a_free_port_can_be_listened_on() -> None:
    assert 1024 < free_port() < 65_536
