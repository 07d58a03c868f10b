"""Where limits are counted, and whose address counts behind proxies."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from portal.app import create_app
from portal.core import limits
from tests.portal.cast import Town
from tests.services.child import free_port
from tests.services.requirement import lacking
from tests.services.wait import wait_until


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A Redis server of one's own."""
    program = shutil.which("redis-server") or lacking("redis-server")
    port = free_port()
    import redis

    process = subprocess.Popen(
        [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)],
        stdout=subprocess.DEVNULL,
    )
    client = redis.Redis(port=port)

    def answers() -> bool:
        try:
            return bool(client.ping())
        except redis.ConnectionError:
            return False

    try:
        wait_until(answers, 10, what="redis")
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        client.close()
        process.terminate()
        process.wait(10)


def another_process(town: Town, **settings) -> Flask:
    """The portal as another process begins it: nothing counted in memory yet."""
    town.config = type(town.config)(data_dir=town.config.data_dir, **settings)
    return create_app(town.services)


def tries(app: Flask, count: int) -> list[int]:
    client = app.test_client()
    app.config["WTF_CSRF_ENABLED"] = False
    return [
        client.post("/sign-in", data={"identity": f"nobody{n}", "password": "x"}).status_code
        for n in range(count)
    ]


@pytest.fixture(autouse=True)
def memory_again() -> Iterator[None]:
    """Whatever was counted, and wherever, is forgotten afterwards."""
    yield
    limits.install(Flask(__name__))
    limits.limiter.reset()


def test_processes_count_together_in_redis(town: Town, redis_url: str) -> None:
    """What one has counted, the next one knows (60 tries a minute and address)."""
    assert 429 not in tries(another_process(town, redis_url=redis_url), 40)
    second = tries(another_process(town, redis_url=redis_url), 21)
    assert second[-1] == 429
    assert second[0] != 429


def test_without_redis_each_process_counts_its_own(town: Town) -> None:
    assert 429 not in tries(another_process(town), 40)
    assert 429 not in tries(another_process(town), 40)


def test_limits_hold_while_redis_is_away(town: Town) -> None:
    app = another_process(town, redis_url="redis://127.0.0.1:1/0")
    answers = tries(app, 3)
    assert 500 not in answers


@pytest.mark.parametrize(
    ("proxies", "forwarded", "seen"),
    [
        (0, "203.0.113.9", "127.0.0.1"),
        (1, "203.0.113.9", "203.0.113.9"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (2, "203.0.113.9", "127.0.0.1"),
    ],
)
def test_only_trusted_proxies_say_where_somebody_comes_from(
    town: Town, proxies: int, forwarded: str, seen: str
) -> None:
    from flask import request

    app = another_process(town, trusted_proxies=proxies)
    found = []
    app.before_request(lambda: found.append(request.remote_addr))
    app.test_client().get("/healthz", headers={"X-Forwarded-For": forwarded})
    assert found == [seen]
