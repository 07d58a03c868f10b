"""Real telemetry stores: InfluxDB 1.6 (InfluxQL) and VictoriaMetrics (v2 writes)."""

import shutil
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mqtt.unpacked import find_unpacked
from tests.services.child import Child, free_port

_INFLUXDB = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  index-version = "inmem"
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
"""


def find_program(name: str, package: str) -> Path | None:
    """The program, installed or unpacked into the cache."""
    on_path = shutil.which(name)
    if on_path:
        return Path(on_path)
    unpacked = find_unpacked(package)
    return unpacked.program(name) if unpacked else None


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status < 300)
    except (urllib.error.URLError, OSError):
        return False


@contextmanager
def influxdb_server(program: Path, folder: Path) -> Iterator[str]:
    """InfluxDB with no database yet and no sign-in; gives its base URL."""
    port = free_port()
    config = folder / "influxdb.conf"
    config.write_text(_INFLUXDB.format(port=port, rpc=free_port(), folder=folder), encoding="utf-8")
    url = f"http://127.0.0.1:{port}"
    child = Child(
        name="InfluxDB",
        command=[str(program), "-config", str(config)],
        log=folder / "influxdb.log",
        answers=lambda: _answers(f"{url}/ping"),
    )
    child.start()
    try:
        yield url
    finally:
        child.stop()


@contextmanager
def victoriametrics_server(program: Path, folder: Path) -> Iterator[str]:
    """VictoriaMetrics that shows new points at once and keeps ten years; gives its base URL."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    child = Child(
        name="VictoriaMetrics",
        command=[
            str(program),
            f"-httpListenAddr=127.0.0.1:{port}",
            f"-storageDataPath={folder / 'data'}",
            "-retentionPeriod=10y",
            "-search.latencyOffset=0s",
            "-dedup.minScrapeInterval=1ms",  # a point written twice counts once
            "-memory.allowedPercent=20",
        ],
        log=folder / "victoriametrics.log",
        answers=lambda: _answers(f"{url}/health"),
    )
    child.start()
    try:
        yield url
    finally:
        child.stop()
