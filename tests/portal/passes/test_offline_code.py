"""The code that a phone keeps for when it has no network."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

import pytest
from flask import Flask
from sqlalchemy import select

from portal.config import ConfigError, load
from portal.core import limits
from portal.core.permissions import Role
from portal.passes import own
from portal.passes.models import Pass
from portal.passes.operations import load_keyset, revoke
from portal.passes.verdict import Reason, Verdict, verify
from portal.passes.views import OFFLINE_LIMIT
from portal.services import EXTENSION
from tests.portal.village import People
from tests.portal.world import World


def judged(world: World, token: str, **later: float) -> Verdict:
    """What a gate thinks of it, some time later."""
    with world.db.read() as session:
        return verify(token, load_keyset(session), world.clock() + timedelta(**later))


def issued(world: World, seconds: int = 900) -> str:
    """An offline code of the resident's pass."""
    actor = world.resident("resident")
    with world.db.write() as session:
        own.obtain(session, actor, world.clock())
    with world.db.read() as session:
        return own.code(session, actor, world.clock(), seconds, offline=True).token


def test_it_lives_for_its_time_and_says_that_it_is_one(world: World) -> None:
    token = issued(world)
    fresh = judged(world, token, minutes=14)
    assert fresh.reason is Reason.OK
    assert fresh.claims is not None
    assert fresh.claims.offline is True
    assert fresh.claims.as_json()["offline"] is True
    assert judged(world, token, minutes=15, seconds=31).reason is Reason.EXPIRED


def test_the_code_on_the_screen_is_none(world: World) -> None:
    actor = world.resident("resident")
    issued(world)
    with world.db.read() as session:
        shown = own.code(session, actor, world.clock(), 60)
    claims = judged(world, shown.token).claims
    assert claims is not None
    assert claims.offline is False
    assert judged(world, shown.token, seconds=91).reason is Reason.EXPIRED


def test_the_phone_gets_a_drawing_and_how_long_it_counts(people: People) -> None:
    answer = people.client("resident").get("/pass/offline/code")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(answer.json) == {"svg", "seconds"}
    assert answer.json["seconds"] == 900
    assert answer.json["svg"].startswith("<svg")
    for secret in ("LL1:", "李", "春晓"):
        assert secret not in answer.text


def test_no_two_phones_get_the_same_code(people: People) -> None:
    client = people.client("resident")
    assert len({client.get("/pass/offline/code").text for _ in range(3)}) == 3


@pytest.mark.parametrize("who", ["pending", "refused"])
def test_whoever_has_no_pass_gets_none(world: World, people: People, who: str) -> None:
    answer = people.client(who).get("/pass/offline/code")
    assert (answer.status_code, answer.data) == (204, b"")
    with world.db.read() as session:
        assert not session.scalars(select(Pass)).all()


def test_after_a_withdrawal_the_phone_is_told_to_keep_nothing(world: World, people: People) -> None:
    client = people.client("resident")
    assert client.get("/pass/offline/code").status_code == 200
    with world.db.write() as session:
        world.clock.forward(minutes=1)
        revoke(session, session.scalars(select(Pass.id)).one(), world.clock(), "misuse")
    assert client.get("/pass/offline/code").status_code == 204


def test_an_installation_may_hand_out_none(app: Flask, people: People) -> None:
    services = app.extensions[EXTENSION]
    config = replace(services.config, pass_offline_seconds=0)
    app.extensions[EXTENSION] = replace(services, config=config)
    assert people.client("resident").get("/pass/offline/code").status_code == 204


@pytest.mark.parametrize("who", [*(str(role) for role in Role), "far_worker", None])
def test_staff_and_strangers_get_none(people: People, who: str | None) -> None:
    answer = people.client(who).get("/pass/offline/code")
    assert answer.status_code == (302 if who is None else 403)


def test_an_account_cannot_fetch_codes_without_end(people: People) -> None:
    limits.limiter.enabled = True
    most = int(OFFLINE_LIMIT.partition(" ")[0])
    client, neighbour = people.client("resident"), people.client("neighbour")
    answers = [client.get("/pass/offline/code").status_code for _ in range(most + 1)]
    assert answers == [200] * most + [429]
    assert neighbour.get("/pass/offline/code").status_code == 200


@pytest.mark.parametrize("seconds", ["-1", "3601", "a quarter of an hour"])
def test_its_life_is_bounded(seconds: str) -> None:
    with pytest.raises(ConfigError, match="LINLI_PASS_OFFLINE_SECONDS"):
        load({"LINLI_PASS_OFFLINE_SECONDS": seconds})


@pytest.mark.parametrize("who", [None, "resident", "pending"])
def test_the_page_for_it_is_the_same_for_everybody(people: People, who: str | None) -> None:
    page = people.client(who).get("/pass/offline")
    assert page.status_code == 200
    assert page.text == people.client("neighbour").get("/pass/offline").text
    assert "<form" not in page.text
    assert "csrf" not in page.text
    assert "linli-holder" not in page.text
    assert not re.search(r"<script(?![^>]*src=)", page.text)


def test_the_page_of_the_pass_says_where_the_code_is_to_be_had(people: People) -> None:
    assert 'content="/pass/offline/code"' in people.client("resident").get("/pass").text
    assert "linli-code" not in people.client("pending").get("/pass").text
