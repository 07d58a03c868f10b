"""The audit: nothing is changed or removed unseen, sealing is safe beside others, checkpoints find a cut tail."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import delete, func, select, text
from sqlalchemy.exc import DatabaseError

from portal.config import Config
from portal.core import audit, audit_chain, audit_checkpoints, audit_export, migrate
from portal.core.audit import AuditEntry, AuditSeal
from portal.core.db import Database
from portal.core.permissions import SYSTEM

NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=400)


@pytest.fixture
def db(database_url: str) -> Iterator[Database]:
    database = Database(database_url)
    migrate.upgrade(database)
    yield database
    database.close()


def write(db: Database, count: int, at: datetime | None = None) -> None:
    with db.write() as session:
        for number in range(count):
            if at is None:
                audit.record(session, SYSTEM, "test.do", ("thing", number), path="/1/", n=number)
            else:
                session.add(
                    AuditEntry(
                        at=at,
                        actor="system",
                        action="test.do",
                        object_type="thing",
                        object_id=str(number),
                        region_path="/1/",
                        result="ok",
                        detail={},
                    )
                )


def seal(db: Database, **options) -> int:
    with db.write() as session:
        return audit_chain.seal(session, NOW, **options)


def verdict(db: Database) -> audit_chain.Verdict:
    with db.read() as session:
        return audit_chain.verify(session, NOW)


def unguarded(db: Database, statement: str) -> None:
    """What the owner of the schema can do: take the guards away, and act."""
    with db.write() as session:
        for table in ("audit_entries", "audit_seals"):
            for kind in ("unchanged", "kept"):
                tail = "" if db.is_sqlite else f" ON {table}"
                session.execute(text(f"DROP TRIGGER {table}_{kind}{tail}"))
        session.execute(text(statement))


def test_entries_are_linked_and_the_chain_holds(db: Database) -> None:
    write(db, 5)
    assert seal(db) == 5
    write(db, 3)
    assert seal(db) == 3
    assert seal(db) == 0
    found = verdict(db)
    assert (found.sealed, found.first_seq, found.last_seq, found.broken) == (8, 1, 8, None)
    with db.read() as session:
        seals = session.scalars(select(AuditSeal).order_by(AuditSeal.seq)).all()
    assert [s.previous for s in seals][1:] == [s.hash for s in seals][:-1]


def test_sealing_goes_in_batches(db: Database) -> None:
    write(db, 7)
    assert [seal(db, limit=3) for _ in range(4)] == [3, 3, 1, 0]
    assert verdict(db).broken is None


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entries SET action = 'x'",
        "DELETE FROM audit_entries",
        "UPDATE audit_seals SET hash = ''",
        "DELETE FROM audit_seals",
    ],
)
def test_the_database_refuses_to_change_or_delete(db: Database, statement: str) -> None:
    write(db, 2)
    seal(db)
    with pytest.raises(DatabaseError, match="audit"), db.write() as session:
        session.execute(text(statement))
    assert verdict(db).sealed == 2


def test_the_server_refuses_to_empty_the_table(db: Database) -> None:
    write(db, 1)
    statement = "DELETE FROM audit_entries" if db.is_sqlite else "TRUNCATE audit_entries"
    with pytest.raises(DatabaseError), db.write() as session:
        session.execute(text(statement))


@pytest.mark.parametrize(
    ("statement", "seq", "reason"),
    [
        ("UPDATE audit_entries SET actor = 'user:9' WHERE id = 3", 3, "entry_changed"),
        ("UPDATE audit_entries SET result = 'no' WHERE id = 1", 1, "entry_changed"),
        ("DELETE FROM audit_entries WHERE id = 4", 4, "entry_missing"),
        ("DELETE FROM audit_seals WHERE seq = 2", 2, "seal_missing"),
        ("DELETE FROM audit_seals WHERE seq = 1", 1, "head_missing"),
        ("UPDATE audit_seals SET hash = previous WHERE seq = 5", 5, "entry_changed"),
        (
            "UPDATE audit_seals SET previous = (SELECT hash FROM audit_seals WHERE seq = 1) WHERE seq = 4",
            4,
            "link_changed",
        ),
    ],
)
def test_whatever_is_done_past_the_guards_is_named(
    db: Database, statement: str, seq: int, reason: str
) -> None:
    write(db, 6)
    seal(db)
    unguarded(db, statement)
    broken = verdict(db).broken
    assert broken is not None
    assert (broken.seq, broken.reason) == (seq, reason)


def test_an_entry_that_commits_late_is_sealed_after_the_others(db: Database) -> None:
    if db.is_sqlite:
        write(db, 2)  # one writer at a time: nothing commits late
        assert seal(db) == 2
        return
    with db.write() as slow:
        audit.record(slow, SYSTEM, "test.slow", ("thing", 0))
        slow.flush()
        write(db, 2)
        assert seal(db) == 2
    assert seal(db) == 1
    assert verdict(db).broken is None
    with db.read() as session:
        newest = session.scalars(select(AuditSeal).order_by(AuditSeal.seq.desc())).first()
        entry = session.get(AuditEntry, newest.entry_id)
    assert entry.action == "test.slow"


def test_several_sealers_make_one_chain(db: Database) -> None:
    write(db, 60)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: seal(db, limit=10), range(16)))
    while seal(db):
        pass
    found = verdict(db)
    assert (found.sealed, found.broken) == (60, None)


def test_writers_do_not_wait_for_the_sealer(db: Database) -> None:
    """On PostgreSQL an act commits while the sealer holds its lock."""
    if db.is_sqlite:
        write(db, 1)
        assert seal(db) == 1
        return
    write(db, 1)
    with db.write() as sealing:
        assert audit_chain.seal(sealing, NOW) == 1
        write(db, 3)
        assert seal(db) == 0, "a second sealer leaves it to the first"
    assert seal(db) == 3


def test_entries_without_a_seal_are_counted(db: Database) -> None:
    write(db, 2, NOW - timedelta(hours=1))
    assert verdict(db).unsealed == 2
    seal(db)
    assert verdict(db).unsealed == 0


def test_purging_takes_old_entries_from_the_head_and_leaves_a_chain_that_holds(
    db: Database,
) -> None:
    write(db, 4, OLD)
    with db.write() as session:
        audit_chain.seal(session, OLD)
    write(db, 2)
    seal(db)
    keep = timedelta(days=200)
    with db.write() as session:
        assert audit_chain.purge(session, NOW, keep) == 4
    with db.write() as session:
        assert audit_chain.purge(session, NOW, keep) == 0
    seal(db)
    found = verdict(db)
    assert (found.first_seq, found.last_seq, found.broken) == (5, 7, None)


def test_nothing_younger_than_six_months_can_be_purged(db: Database) -> None:
    write(db, 2, NOW - timedelta(days=100))
    with db.write() as session:
        audit_chain.seal(session, NOW - timedelta(days=100))
    with db.write() as session, pytest.raises(ValueError, match="six months"):
        audit_chain.purge(session, NOW, timedelta(days=90))
    with pytest.raises(DatabaseError), db.write() as session:
        session.execute(delete(AuditEntry))
    with db.write() as session:
        assert audit_chain.purge(session, NOW, timedelta(days=184)) == 0


def test_a_head_that_was_cut_off_without_a_purge_is_found(db: Database) -> None:
    write(db, 4, OLD)
    with db.write() as session:
        audit_chain.seal(session, OLD)
    write(db, 2)
    seal(db)
    with db.write() as session:  # old enough for the guards, but nothing accounts for it
        session.execute(text("DELETE FROM audit_entries WHERE id <= 2"))
        session.execute(text("DELETE FROM audit_seals WHERE seq <= 2"))
    broken = verdict(db).broken
    assert broken is not None
    assert broken.reason == "head_missing"


def checked(db: Database, config: Config) -> audit_chain.Broken | None:
    with db.read() as session:
        found = audit_chain.verify(session, NOW)
        return found.broken or audit_checkpoints.compare(
            session,
            found,
            config.path(audit_checkpoints.FILE),
            audit_checkpoints.public_key(config),
        )


def checkpoint(db: Database, config: Config) -> audit_checkpoints.Checkpoint | None:
    with db.read() as session:
        return audit_checkpoints.write(config, session, NOW)


def test_a_checkpoint_finds_a_tail_that_was_cut_off(db: Database, tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path)
    assert checkpoint(db, config) is None
    write(db, 5)
    seal(db)
    made = checkpoint(db, config)
    assert made is not None
    assert made.seq == 5
    assert checkpoint(db, config) is None, "nothing new, nothing to say"
    assert checked(db, config) is None
    unguarded(db, "DELETE FROM audit_seals WHERE seq > 3")
    with db.write() as session:
        session.execute(text("DELETE FROM audit_entries WHERE id > 3"))
    assert verdict(db).broken is None, "the shorter chain holds by itself"
    broken = checked(db, config)
    assert broken is not None
    assert (broken.seq, broken.reason) == (5, "tail_missing")


def test_a_chain_that_was_written_anew_does_not_fit_the_checkpoint(
    db: Database, tmp_path: Path
) -> None:
    config = Config(data_dir=tmp_path)
    write(db, 3)
    seal(db)
    checkpoint(db, config)
    unguarded(db, "UPDATE audit_entries SET actor = 'user:9' WHERE id = 2")
    with db.write() as session:
        session.execute(text("DELETE FROM audit_seals"))
    seal(db)
    assert verdict(db).broken is None
    broken = checked(db, config)
    assert broken is not None
    assert broken.reason == "chain_rewritten"


def test_a_forged_checkpoint_is_found(db: Database, tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path)
    write(db, 3)
    seal(db)
    checkpoint(db, config)
    path = config.path(audit_checkpoints.FILE)
    line = json.loads(path.read_text())
    path.write_text(json.dumps({**line, "seq": 2}) + "\n")
    broken = checked(db, config)
    assert broken is not None
    assert broken.reason == "checkpoint_forged"
    path.write_text("nonsense\n")
    with pytest.raises(audit_checkpoints.CheckpointError, match="line 1"):
        checked(db, config)


def test_the_key_is_for_its_owner_only(db: Database, tmp_path: Path) -> None:
    config = Config(data_dir=tmp_path)
    audit_checkpoints.signing_key(config)
    assert config.path(audit_checkpoints.KEY_FILE).stat().st_mode & 0o077 == 0
    assert (
        audit_checkpoints.public_key(config).raw == audit_checkpoints.signing_key(config).public.raw
    )


def test_an_export_filters_and_no_cell_is_a_formula(db: Database) -> None:
    write(db, 3)
    with db.write() as session:
        audit.record(session, SYSTEM, "=HYPERLINK(1)", ("thing", "@x"), path="/2/")
    with db.read() as session:
        everything = list(audit_export.lines(session, audit_export.Filter(), "csv"))
        other = list(audit_export.lines(session, audit_export.Filter(paths=("/2/",)), "jsonl"))
        none = list(audit_export.lines(session, audit_export.Filter(paths=()), "jsonl"))
        kinds = audit_export.newest(session, audit_export.Filter(action="test"), before=0, limit=10)
    assert len(everything) == 5
    assert "'=HYPERLINK(1)" in everything[-1]
    assert "'@x" in everything[-1]
    assert [json.loads(line)["action"] for line in other] == ["=HYPERLINK(1)"]
    assert none == []
    assert [entry.detail["n"] for entry in kinds] == [2, 1, 0]


def test_the_audit_knows_what_was_taken_out_of_it(db: Database) -> None:
    with db.write() as session:
        audit_export.note(session, SYSTEM, audit_export.Filter(action="sign_in"), "csv")
    with db.read() as session:
        assert session.scalar(select(func.count()).where(AuditEntry.action == "audit.export")) == 1


def test_an_entry_far_behind_the_newest_is_found_by_the_sweep(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_chain, "WINDOW", 2)
    write(db, 6)
    with db.write() as session:
        entries = session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        session.add(
            AuditSeal(
                seq=1,
                entry_id=entries[-1].id,
                previous=audit_chain.GENESIS,
                hash=audit_chain.link(1, audit_chain.GENESIS, entries[-1]),
                algorithm="sha256",
                sealed_at=NOW,
            )
        )
    assert seal(db) == 1
    assert seal(db) == 0
    assert seal(db, sweep=True) == 4
    assert verdict(db).broken is None


def test_the_migration_goes_both_ways(db: Database) -> None:
    write(db, 3)
    seal(db)
    script = ScriptDirectory(str(migrate.FOLDER)).get_revision("0010")
    migrate.downgrade(db, str(script.down_revision))
    with db.write() as session:
        session.execute(text("UPDATE audit_entries SET actor = actor"))
    migrate.upgrade(db)
    assert seal(db) == 3
    with pytest.raises(DatabaseError, match="audit"), db.write() as session:
        session.execute(text("UPDATE audit_entries SET actor = actor"))
