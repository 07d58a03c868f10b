"""Fixtures that start real services on free loopback ports and stop them again.

A service is started when a test first asks for it and serves the whole run; each test gets its
own database or names its own. A test that asks for one is marked by it, so that
`-m "not (broker or postgres or telemetry or browser or fault or system)"` needs no service.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from mqtt.broker.binaries import find_mosquitto
from tests.services.chromium import browser as start_browser
from tests.services.chromium import find_chromium
from tests.services.mosquitto import Brokers, brokers
from tests.services.postgres import PostgresServer, find_programs, postgres_server
from tests.services.requirement import lacking
from tests.services.telemetry import find_program, influxdb_server, victoriametrics_server

_MARKS = {
    "mosquitto": "broker",
    "postgres": "postgres",
    "postgres_url": "postgres",
    "influxdb": "telemetry",
    "victoriametrics": "telemetry",
    "chromium": "browser",
    "browser": "browser",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark each test by the services it asks for."""
    for item in items:
        for name in getattr(item, "fixturenames", ()):
            if name in _MARKS:
                item.add_marker(_MARKS[name])


@pytest.fixture(scope="session")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Brokers]:
    """Starts a broker per call: `broker = mosquitto("allow_anonymous true")`, `broker.port`."""
    found = find_mosquitto() or lacking("mosquitto")
    with brokers(found, tmp_path_factory.mktemp("mosquitto")) as starter:
        yield starter


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server; `with postgres.database() as url` makes a database."""
    programs = find_programs() or lacking("postgresql")
    with postgres_server(programs) as server:
        yield server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The SQLAlchemy URL (`postgresql+psycopg://…`) of a new empty database for this test."""
    with postgres.database() as url:
        yield url


@pytest.fixture(scope="session")
def influxdb(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of an InfluxDB 1.6; a test creates the database it writes to."""
    program = find_program("influxd", "influxdb") or lacking("influxdb")
    with influxdb_server(program, tmp_path_factory.mktemp("influxdb")) as url:
        yield url


@pytest.fixture(scope="session")
def victoriametrics(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of a VictoriaMetrics; a test names its own series."""
    program = find_program("victoria-metrics", "victoria-metrics") or lacking("victoria-metrics")
    with victoriametrics_server(program, tmp_path_factory.mktemp("victoriametrics")) as url:
        yield url


@pytest.fixture(scope="session")
def chromium() -> Path:
    """The path of Chromium, for tests that launch it themselves (`tests.services.chromium`)."""
    return find_chromium() or lacking("chromium")


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    """A Playwright browser on that Chromium; a test opens contexts and closes them.

    One a module, for as long as Playwright is up its event loop counts as running in this
    thread, and nothing else may run one.
    """
    with start_browser(chromium) as started:
        yield started
