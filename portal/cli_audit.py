"""`linli audit`: verify the chain over the audit, export it, show the key that signs checkpoints."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import click

from portal import config as configuration
from portal.cli import EXIT_NO
from portal.config import Config
from portal.core import audit_chain, audit_checkpoints, audit_export
from portal.core.audit_chain import Broken
from portal.core.clock import utc_now
from portal.core.crypto.signing import VerifyKey
from portal.core.db import Database
from portal.core.permissions import SYSTEM

REASONS: Final = {
    "entry_changed": "the entry was changed after it was sealed",
    "entry_missing": "the entry was removed",
    "seal_missing": "a link of the chain was removed",
    "link_changed": "the link does not fit the one before",
    "head_missing": "the beginning was removed, and no purge accounts for it",
    "tail_missing": "a signed checkpoint names this link, but the chain ends before",
    "chain_rewritten": "a signed checkpoint names another hash here",
    "checkpoint_forged": "the signature of this checkpoint is not right",
    "algorithm_unknown": "the hash names an algorithm that is not at hand",
}


@contextmanager
def _opened() -> Iterator[tuple[Config, Database]]:
    config, _ = configuration.load()
    database = Database(config.effective_database_url)
    try:
        yield config, database
    finally:
        database.close()


@click.group()
def audit() -> None:
    """Verify and export the log of who did what."""


@audit.command()
@click.option(
    "--checkpoints",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Compare with this copy of the checkpoints instead of the one in the data folder.",
)
@click.option("--public-key", help="64 hex digits of the key that signed them (`linli audit key`).")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def verify(checkpoints: Path | None, public_key: str | None, as_json: bool) -> None:
    """Recompute the chain; name the first entry that does not hold, and exit with 1."""
    with _opened() as (config, database), database.read() as session:
        verdict = audit_chain.verify(session, utc_now())
        broken = verdict.broken
        if broken is None:
            try:
                key = (
                    VerifyKey(bytes.fromhex(public_key))
                    if public_key
                    else audit_checkpoints.public_key(config)
                )
                path = checkpoints or config.path(audit_checkpoints.FILE)
                broken = audit_checkpoints.compare(session, verdict, path, key)
            except (audit_checkpoints.CheckpointError, ValueError) as error:
                raise click.ClickException(str(error)) from None
    if as_json:
        click.echo(
            json.dumps(
                {
                    "sealed": verdict.sealed,
                    "unsealed": verdict.unsealed,
                    "last_seq": verdict.last_seq,
                    "last_hash": verdict.last_hash,
                    "broken": broken
                    and {"seq": broken.seq, "entry": broken.entry_id, "reason": broken.reason},
                }
            )
        )
    elif broken is None:
        click.echo(f"{verdict.sealed} entries hold, the last is link {verdict.last_seq}")
    else:
        click.echo(_sentence(broken), err=True)
    if verdict.unsealed and not as_json:
        click.echo(
            f"{verdict.unsealed} entries are not sealed: does `linli up` or the worker run?",
            err=True,
        )
    if broken is not None:
        raise SystemExit(EXIT_NO)


def _sentence(broken: Broken) -> str:
    entry = f" (entry {broken.entry_id})" if broken.entry_id is not None else ""
    return f"broken at link {broken.seq}{entry}: {REASONS[broken.reason]}"


@audit.command()
@click.option("--from", "since", type=click.DateTime(["%Y-%m-%d"]), help="First day.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d"]), help="Last day.")
@click.option("--format", "kind", type=click.Choice(["csv", "jsonl"]), default="csv")
def export(since: datetime | None, until: datetime | None, kind: str) -> None:
    """Write entries to standard output, oldest first. The export itself is in the audit."""
    with _opened() as (config, database):
        zone = ZoneInfo(config.timezone)
        wanted = audit_export.Filter(
            since=audit_export.day_begins(since, zone), until=audit_export.day_ends(until, zone)
        )
        with database.read() as session:
            count = 0
            for line in audit_export.lines(session, wanted, kind):
                sys.stdout.write(line)
                count += 1
        with database.write() as session:
            audit_export.note(session, SYSTEM, wanted, kind)
    click.echo(f"{max(count - (kind == 'csv'), 0)} entries", err=True)


@audit.command()
def key() -> None:
    """Print the public key that checks signatures of checkpoints; keep it elsewhere."""
    with _opened() as (config, _database):
        try:
            click.echo(audit_checkpoints.public_key(config).raw.hex())
        except audit_checkpoints.CheckpointError as error:
            raise click.ClickException(str(error)) from None
