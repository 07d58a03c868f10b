"""Bad messages are counted for ever and kept up to a number."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from portal.core import quarantine
from portal.core.quarantine import PutAside, QuarantinedMessage
from tests.portal.gatehouse import NOW, Gatehouse


def test_messages_are_counted_by_fault_and_cut(house: Gatehouse) -> None:
    batch = [
        PutAside("t" * 999, "stale", "d\0" * 999, b"p" * 9999),
        PutAside("t", "stale", "", b""),
    ]
    with house.db.write() as session:
        quarantine.put_many(session, batch, NOW)
        quarantine.put(
            session, at=NOW, topic="t", fault="wrong_shape", detail="\ud800", payload=b""
        )
        quarantine.put_many(session, [], NOW)
    with house.db.read() as session:
        assert quarantine.counts(session) == {"stale": 2, "wrong_shape": 1}
        assert quarantine.kept(session) == 3
        first = session.scalars(select(QuarantinedMessage).order_by(QuarantinedMessage.id)).first()
        assert first is not None
        assert (len(first.topic), len(first.detail), len(first.payload)) == (300, 500, 4096)


def test_the_oldest_are_dropped_and_still_counted(
    house: Gatehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quarantine, "KEEP", 5)
    for number in range(4):
        rows = [PutAside(f"{number}-{n}", "stale", "", b"") for n in range(3)]
        with house.db.write() as session:
            quarantine.put_many(session, rows, NOW)
    with house.db.read() as session:
        assert quarantine.kept(session) == 5
        assert quarantine.counts(session) == {"stale": 12}
        topics = session.scalars(select(QuarantinedMessage.topic).order_by(QuarantinedMessage.id))
        assert list(topics) == ["2-1", "2-2", "3-0", "3-1", "3-2"]
