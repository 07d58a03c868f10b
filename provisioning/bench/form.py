"""What all benches share: options, places to work in, the table on screen and the file.

The file holds ``{bench, at, machine, rows: [{case, metric, unit, value}]}``. A case that cannot run on
this machine has one row with the metric ``skipped`` and the reason as its value.
"""

from __future__ import annotations

import json
import math
import os
import platform
import socket
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Table

SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Row:
    """One measured value."""

    case: str
    metric: str
    unit: str
    value: float | int | str


@dataclass(slots=True)
class Report:
    """What a bench has measured."""

    bench: str
    rows: list[Row] = field(default_factory=list)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    def add(self, case: str, metric: str, unit: str, value: float) -> None:
        """One value; three decimals are kept. What could not be measured (not a number) is left out."""
        if math.isnan(value):
            return
        self.rows.append(
            Row(case, metric, unit, value if isinstance(value, int) else round(value, 3))
        )

    def skip(self, case: str, reason: str) -> None:
        """Say that a case could not run."""
        self.rows.append(Row(case, SKIPPED, "", reason))

    def write(self, path: Path) -> None:
        """Write the file."""
        document = {
            "bench": self.bench,
            "at": self.at.isoformat(timespec="seconds"),
            "machine": machine(),
            "rows": [asdict(row) for row in self.rows],
        }
        path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")

    def show(self, console: Console | None = None) -> None:
        """Print a table: a line a case, a column a metric."""
        metrics: dict[str, str] = {}
        for row in self.rows:
            if row.metric != SKIPPED:
                metrics.setdefault(row.metric, row.unit)
        found = machine()
        table = Table(
            expand=True,
            title=f"{self.bench}: {found['cpu']}, {found['cores']} cores, {found['memory_gb']} GB",
        )
        table.add_column("case", overflow="fold", ratio=1)
        for metric, unit in metrics.items():
            table.add_column(f"{metric}\n{unit}", justify="right")
        cases: dict[str, dict[str, float | int | str]] = {}
        for row in self.rows:
            cases.setdefault(row.case, {})[row.metric] = row.value
        for case, values in cases.items():
            if SKIPPED in values:
                table.add_row(case, f"skipped: {values[SKIPPED]}")
            else:
                table.add_row(case, *(_shown(values.get(metric, "")) for metric in metrics))
        (console or Console()).print(table)


def machine() -> dict[str, Any]:
    """The machine in a few words."""
    return {
        "cpu": _cpu(),
        "cores": os.cpu_count() or 0,
        "memory_gb": round(_memory() / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load": os.getloadavg()[0],
    }


def options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options every bench has: ``quick`` and ``json_file``."""
    command = click.option(
        "--json",
        "json_file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Also write the figures to this file.",
    )(command)
    return click.option("--quick", is_flag=True, help="A short run, within 60 s.")(command)


def free_port() -> int:
    """A loopback TCP port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def resident_megabytes(pid: int) -> float:
    """Memory of a process in MB; 0 where the system does not tell (Linux only)."""
    try:
        for line in Path(f"/proc/{pid}/status").read_text("ascii", "replace").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
    except (OSError, ValueError, IndexError):
        return 0.0
    return 0.0


def percentile(ordered: list[float], share: float) -> float:
    """The smallest value that at least this share of a sorted list does not exceed."""
    if not ordered:
        return float("nan")
    return ordered[max(0, math.ceil(len(ordered) * share) - 1)]


def _shown(value: float | int | str) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if value >= 1000 else f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else value


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("ascii", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0
