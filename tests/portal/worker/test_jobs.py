"""What the worker does by the clock."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import func, select, update

from portal.config import Config
from portal.core import migrate
from portal.core.db import Database
from portal.residents.models import Resident
from portal.worker.jobs import Jobs
from tests.portal.world import Ticking, install, lay_out, new_keys


def test_names_that_earlier_releases_wrote_become_findable(tmp_path: Path) -> None:
    install(new_keys())
    database = Database(f"sqlite:///{tmp_path / 'linli.db'}")
    migrate.upgrade(database)
    clock = Ticking()
    lay_out(database, clock)
    with database.write() as session:
        session.execute(update(Resident).values(name_hash=None))
    jobs = Jobs(Config(data_dir=tmp_path), database, clock)
    for _ in range(20):  # one job a turn
        jobs.run_due()
    with database.read() as session:
        left = session.scalar(
            select(func.count()).select_from(Resident).where(Resident.name_hash.is_(None))
        )
    database.close()
    assert left == 0
