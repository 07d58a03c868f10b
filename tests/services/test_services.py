"""The services that other tests lean on: each is really spoken to."""

import base64
import hashlib
import json
import os
import signal
import sys
import urllib.parse
import urllib.request
from datetime import UTC, datetime
from pathlib import Path
from queue import SimpleQueue
from uuid import uuid4

import paho.mqtt.client as paho
import psycopg
import pytest
from influxdb_client import InfluxDBClient, Point
from influxdb_client.client.write_api import SYNCHRONOUS
from playwright.sync_api import Browser
from sqlalchemy.engine import make_url

from tests.services.child import Child, free_port, listens
from tests.services.mosquitto import Brokers, brokers
from tests.services.postgres import PostgresServer
from tests.services.requirement import lacking
from tests.services.wait import wait_until

ANONYMOUS = "allow_anonymous true\n"


def _client(port: int, **options: object) -> tuple[paho.Client, SimpleQueue[object]]:
    """A connected client and the queue of what happened to it: reason codes, then messages."""
    happened: SimpleQueue[object] = SimpleQueue()
    client = paho.Client(paho.CallbackAPIVersion.VERSION2, protocol=paho.MQTTv5)
    if options:
        client.username_pw_set(str(options["username"]), str(options["password"]))
    client.on_connect = lambda _c, _u, _f, reason, _p: happened.put(reason)
    client.on_subscribe = lambda _c, _u, _m, reasons, _p: happened.put(reasons)
    client.on_message = lambda _c, _u, message: happened.put(message)
    client.connect("127.0.0.1", port)
    client.loop_start()
    return client, happened


def _close(client: paho.Client) -> None:
    client.disconnect()
    client.loop_stop()


def _fetch(url: str, data: bytes | None = None, **query: str) -> str:
    full = f"{url}?{urllib.parse.urlencode(query)}" if query else url
    with urllib.request.urlopen(full, data=data, timeout=10) as answer:
        return str(answer.read().decode())


# --- waiting and children --------------------------------------------------------------------


def test_waiting_gives_the_first_true_answer() -> None:
    answers = iter([0, None, "", "there", "later"])
    assert wait_until(lambda: next(answers), interval=0.001) == "there"


def test_waiting_in_vain_names_what_was_awaited() -> None:
    with pytest.raises(TimeoutError, match="the gate opens"):
        wait_until(lambda: False, timeout=0.02, interval=0.001, what="the gate opens")


def _python(program: str, folder: Path, answers: object = None) -> Child:
    return Child(
        name="child",
        command=[sys.executable, "-c", program],
        log=folder / "child.log",
        answers=answers if callable(answers) else lambda: False,
    )


def test_a_child_that_ends_at_once_is_reported_with_its_last_words(tmp_path: Path) -> None:
    child = _python("raise SystemExit('port is taken')", tmp_path)
    with pytest.raises(RuntimeError, match="port is taken"):
        child.start()


def test_a_child_that_never_answers_is_not_left_behind(tmp_path: Path) -> None:
    child = _python("import signal; print('deaf', flush=True); signal.pause()", tmp_path)
    with pytest.raises(RuntimeError, match="not within"):
        child.start(timeout=0.3)
    assert not child.running


def test_a_child_that_ignores_the_request_to_stop_is_killed(tmp_path: Path) -> None:
    program = (
        "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "print('ready', flush=True); signal.pause()"
    )
    child = _python(program, tmp_path, lambda: "ready" in child.last_words())
    child.start()
    pid = child.pid
    child.stop(timeout=0.1)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIG_DFL)


def test_a_port_is_given_out_once() -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50
    assert not any(listens(port) for port in ports[:5])


def test_a_lacking_service_skips_with_the_way_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LINLI_TEST_REQUIRE", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"packages\.sh install test"):
        lacking("mosquitto")


def test_a_lacking_service_fails_where_services_are_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("LINLI_TEST_REQUIRE", "1")
    with pytest.raises(pytest.fail.Exception, match="apt-get install -y mosquitto"):
        lacking("mosquitto")


# --- mosquitto -------------------------------------------------------------------------------


def test_mosquitto_delivers_what_was_published(mosquitto: Brokers) -> None:
    broker = mosquitto(ANONYMOUS)
    client, happened = _client(broker.port)
    try:
        assert happened.get(timeout=10) == "Success"
        client.subscribe("linli/#", qos=1)
        happened.get(timeout=10)
        client.publish("linli/门", "开", qos=1)
        message = happened.get(timeout=10)
        assert isinstance(message, paho.MQTTMessage)
        assert (message.topic, message.payload.decode()) == ("linli/门", "开")
    finally:
        _close(client)


def test_mosquitto_obeys_the_configuration_and_files_given(mosquitto: Brokers) -> None:
    broker = mosquitto(
        "allow_anonymous false\npassword_file ${folder}/passwords\nacl_file ${folder}/rules\n",
        files={"passwords": _password_line("gate", "let-me-in"), "rules": "user gate\n"},
    )
    stranger, strange = _client(broker.port)
    gate, known = _client(broker.port, username="gate", password="let-me-in")
    try:
        assert strange.get(timeout=10) == "Not authorized"
        assert known.get(timeout=10) == "Success"
    finally:
        _close(stranger)
        _close(gate)


def _password_line(user: str, password: str) -> str:
    """A line of mosquitto's password file: PBKDF2 with SHA-512, marked by $7$."""
    salt = os.urandom(12)
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, 101, 64)
    return f"{user}:$7$101${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}\n"


def test_a_killed_mosquitto_starts_again_on_its_port(mosquitto: Brokers) -> None:
    broker = mosquitto(ANONYMOUS)
    before = broker.child.pid
    broker.child.kill()
    assert not listens(broker.port)
    broker.child.start()
    assert listens(broker.port)
    assert broker.child.pid != before


def test_brokers_are_gone_when_the_starter_is(mosquitto: Brokers, tmp_path: Path) -> None:
    with brokers(mosquitto.mosquitto, tmp_path) as start:
        broker = start(ANONYMOUS)
        pid = broker.child.pid
        os.kill(pid, signal.SIG_DFL)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, signal.SIG_DFL)


def test_a_configuration_mosquitto_refuses_is_reported(mosquitto: Brokers) -> None:
    with pytest.raises(RuntimeError, match="no_such_option"):
        mosquitto("no_such_option true\n")


# --- PostgreSQL ------------------------------------------------------------------------------


def _connect(url: str) -> psycopg.Connection[tuple[object, ...]]:
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    return psycopg.connect(plain)


def test_each_postgres_database_is_new_and_its_own(
    postgres: PostgresServer, postgres_url: str
) -> None:
    with postgres.database() as other:
        for url in (postgres_url, other):
            with _connect(url) as connection:
                connection.execute("CREATE TABLE gate (name text)")
                connection.execute("INSERT INTO gate VALUES (%s)", ["东门"])
                rows = connection.execute("SELECT name FROM gate").fetchall()
            assert rows == [("东门",)]


def test_a_postgres_database_goes_away_under_an_open_connection(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        connection = _connect(url)
    with pytest.raises(psycopg.OperationalError):
        connection.execute("SELECT 1")
    connection.close()
    with pytest.raises(psycopg.OperationalError, match="does not exist"):
        _connect(url)


def test_postgres_keeps_time_in_utc(postgres_url: str) -> None:
    with _connect(postgres_url) as connection:
        row = connection.execute("SHOW timezone").fetchone()
    assert row == ("UTC",)


# --- telemetry stores ------------------------------------------------------------------------


def test_influxdb_answers_a_query_for_what_was_written(influxdb: str) -> None:
    database = f"test_{uuid4().hex}"
    _fetch(f"{influxdb}/query", b"", q=f"CREATE DATABASE {database}")
    _fetch(
        f"{influxdb}/write",
        b"temperature,device=t1 value=36.6 1000\ntemperature,device=t1 value=37.2 2000",
        db=database,
        precision="ms",
    )
    answer = json.loads(
        _fetch(
            f"{influxdb}/query",
            db=database,
            q="SELECT MAX(value) FROM temperature WHERE time < 1m",
            epoch="ms",
        )
    )
    assert answer["results"][0]["series"][0]["values"] == [[2000, 37.2]]


def test_victoriametrics_gives_back_what_the_influxdb_client_wrote(victoriametrics: str) -> None:
    series = f"s{uuid4().hex}"
    at = datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)
    point = Point(series).tag("device", "t1").field("value", 36.6).time(at)
    with (
        InfluxDBClient(victoriametrics, token="unused", org="linli") as client,
        client.write_api(write_options=SYNCHRONOUS) as write,
    ):
        write.write(bucket="telemetry", record=point)

    def exported() -> str:
        _fetch(f"{victoriametrics}/internal/force_flush")
        return _fetch(f"{victoriametrics}/api/v1/export", **{"match[]": f"{series}_value"})

    line = json.loads(wait_until(exported, what="the point can be read"))
    assert line["metric"]["device"] == "t1"
    assert (line["values"], line["timestamps"]) == ([36.6], [round(at.timestamp() * 1000)])


# --- Chromium --------------------------------------------------------------------------------


def test_chromium_shows_a_page(browser: Browser) -> None:
    context = browser.new_context(viewport={"width": 360, "height": 640}, locale="zh-CN")
    page = context.new_page()
    page.goto("data:text/html;charset=utf-8,<h1>邻里</h1><script>document.title=1+1</script>")
    assert page.locator("h1").inner_text() == "邻里"
    assert page.title() == "2"
    context.close()


def test_chromium_has_a_chinese_font(browser: Browser) -> None:
    context = browser.new_context()
    page = context.new_page()
    # U+0378 and U+0379 are assigned to no character: every font draws them as "missing".
    page.set_content("<span id=a>邻</span> <span id=b>里</span> <p><span id=c>\u0378</span>")
    drawn = [page.locator(f"#{name}").screenshot() for name in "abc"]
    assert len(set(drawn)) == 3
    context.close()
