"""``linli regions``: import codes and names, show one region. Acts as the system, on the machine itself."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

import click
from sqlalchemy.exc import IntegrityError

from portal import config as configuration
from portal.cli import EXIT_NO
from portal.core.clock import utc_now
from portal.core.db import Database
from portal.core.errors import DomainError
from portal.core.permissions import SYSTEM
from portal.regions import importing, settings, tree
from portal.regions.importing import Plan
from portal.regions.sheets import LARGEST


@contextmanager
def _database() -> Iterator[Database]:
    config, _ = configuration.load()
    database = Database(config.effective_database_url)
    try:
        yield database
    finally:
        database.close()


@click.group("regions")
def group() -> None:
    """Import and look at the region tree."""


@group.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--dry-run", is_flag=True, help="Only say what would change.")
@click.option("--json", "as_json", is_flag=True, help="Answer as one JSON object.")
def import_(file: IO[bytes], dry_run: bool, as_json: bool) -> None:
    """Import codes and names from FILE (CSV in UTF-8 or GBK, or XLSX; - is standard input).

    The file is checked whole, then applied whole. Exit code 1: it has faults, nothing was changed.
    """
    content = file.read(LARGEST + 1)
    with _database() as database:
        try:
            with database.read() as session:
                plan = importing.plan(session, SYSTEM, content)
            if not dry_run and not plan.faults:
                with database.write() as session:
                    plan = importing.apply(session, SYSTEM, content, utc_now())
        except DomainError as error:
            raise click.ClickException(str(error.message)) from None
        except IntegrityError:
            raise click.ClickException(
                "somebody changed the same regions at this moment; try again"
            ) from None
    applied = not dry_run and not plan.faults
    if as_json:
        click.echo(json.dumps(_as_json(plan, applied=applied), ensure_ascii=False))
    else:
        _print(plan, applied=applied)
    if plan.faults:
        raise SystemExit(EXIT_NO)


def _as_json(plan: Plan, *, applied: bool) -> dict[str, Any]:
    return {
        "applied": applied,
        "encoding": plan.encoding,
        "counts": plan.counts(),
        "created": [{"code": line.code.text, "name": line.name} for line in plan.created],
        "renamed": [
            {"code": region.code, "from": old, "to": new} for region, old, new in plan.renamed
        ],
        "moved": [{"name": region.name, "to": line.code.text} for region, line in plan.moved],
        "faults": [
            {"line": f.line, "column": str(f.column), "code": f.code, "message": str(f.sentence)}
            for f in plan.faults
        ],
    }


def _print(plan: Plan, *, applied: bool) -> None:
    for fault in plan.faults:
        click.echo(f"line {fault.line}, {fault.column}: {fault.sentence}", err=True)
    counts = plan.counts()
    for name in ("created", "renamed", "moved", "coded", "unchanged"):
        click.echo(f"{name:<10} {counts[name]}")
    click.echo(
        f"read as {plan.encoding}; "
        + ("applied" if applied else "nothing was changed" if plan.faults else "dry run")
    )


@group.command()
@click.argument("code")
@click.option("--json", "as_json", is_flag=True, help="Answer as one JSON object.")
def show(code: str, as_json: bool) -> None:
    """Show the region of CODE, present or former: where it lies, its settings, its history."""
    with _database() as database, database.read() as session:
        region = tree.find(session, code)
        if region is None:
            raise click.ClickException(f"no region has or had the code {code}")
        above = [r.name for r in tree.ancestors(session, region)]
        holds = {s.setting.key: s.value for s in settings.standings(session, region)}
        history = [
            {
                "at": h.at.isoformat(),
                "change": h.change,
                "from_code": h.from_code,
                "from_name": h.from_name,
                "reason": h.reason,
            }
            for h in tree.history(session, region)
        ]
        answer: dict[str, Any] = {
            "code": region.code,
            "level": region.level,
            "name": region.name,
            "above": above,
            "uscc": region.uscc,
            "key": region.key,
            "below": tree.count_below(session, region),
            "settings": holds,
            "history": history,
        }
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
        return
    click.echo(f"{region.code}  {region.level}  {' / '.join([*above, region.name])}")
    for name in ("uscc", "key"):
        if answer[name]:
            click.echo(f"  {name}: {answer[name]}")
    for level, number in answer["below"].items():
        click.echo(f"  {level} below: {number}")
    for key, value in holds.items():
        click.echo(f"  {key} = {'as installed' if value is None else value}")
    for entry in history:
        click.echo(
            f"  {entry['at'][:10]} {entry['change']} {entry['from_code']} {entry['from_name']}"
        )
