"""``linli db``: migrations up, down, compared with the models."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from portal import config as configuration
from portal.cli import EXIT_NO
from portal.core import migrate
from portal.core.db import Database


@contextmanager
def _database() -> Iterator[Database]:
    config, _ = configuration.load()
    if not config.database_url:
        config.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    database = Database(config.effective_database_url)
    try:
        yield database
    except OperationalError as error:
        raise click.ClickException(
            f"the database does not answer: {error.orig}. See LINLI_DATABASE_URL in `linli config`."
        ) from error
    except SQLAlchemyError as error:
        raise click.ClickException(f"the database refuses: {error}") from error
    finally:
        database.close()


def _revision(database: Database) -> str:
    return migrate.current(database) or "empty"


@click.group()
def db() -> None:
    """Upgrade, check or downgrade the database."""


@db.command()
@click.argument("revision", default="head")
def upgrade(revision: str) -> None:
    """Bring the schema up to REVISION (the newest when not given)."""
    with _database() as database:
        before = _revision(database)
        migrate.upgrade(database, revision)
        click.echo(f"{before} -> {_revision(database)}")


@db.command()
@click.argument("revision")
@click.option("--yes", is_flag=True, help="Do not ask.")
def downgrade(revision: str, yes: bool) -> None:
    """Take the schema back to REVISION; `base` empties it.

    What the newer revision added is lost. A number such as -1 is written after two dashes:
    `linli db downgrade -- -1`.
    """
    if not yes:
        click.confirm("Data that only the newer schema holds will be lost. Go on?", abort=True)
    with _database() as database:
        before = _revision(database)
        migrate.downgrade(database, revision)
        click.echo(f"{before} -> {_revision(database)}")


@db.command()
@click.option("--json", "as_json", is_flag=True, help="{current, head, differences}.")
def check(as_json: bool) -> None:
    """Compare schema, migrations and models; exit 1 when they disagree."""
    from portal.models import metadata

    with _database() as database:
        current, head = migrate.current(database), migrate.head()
        differences = [str(entry) for entry in migrate.differences(database, metadata)]
    agree = current == head and not differences
    if as_json:
        click.echo(json.dumps({"current": current, "head": head, "differences": differences}))
    elif agree:
        click.echo(f"at {head}, models and schema agree")
    else:
        if current != head:
            click.echo(
                f"at {current or 'empty'}, newest is {head}: run `linli db upgrade`", err=True
            )
        for difference in differences:
            click.echo(f"differs: {difference}", err=True)
    if not agree:
        raise SystemExit(EXIT_NO)


@db.command()
def current() -> None:
    """Print the revision the database is at (`empty` when it has none)."""
    with _database() as database:
        click.echo(_revision(database))
