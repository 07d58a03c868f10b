"""`linli token`: tokens for machines, from the machine's own command line."""

from __future__ import annotations

import json
from datetime import timedelta

import click
from sqlalchemy import select

from portal import config as configuration
from portal.accounts.tokens import create_token, list_tokens, revoke_token
from portal.core.clock import utc_now
from portal.core.db import Database
from portal.core.errors import DomainError
from portal.core.permissions import SYSTEM, Permission
from portal.models import Region


def _database() -> Database:
    config, _ = configuration.load()
    return Database(config.effective_database_url)


@click.group()
def token() -> None:
    """Make, list and revoke tokens for the HTTP API."""


@token.command()
@click.argument("name")
@click.option(
    "--permission",
    "permissions",
    multiple=True,
    required=True,
    type=click.Choice([str(p) for p in Permission]),
    help="What it may do; repeat for several.",
)
@click.option(
    "--region", "code", required=True, help="Code of the region it reaches, with all below."
)
@click.option("--days", default=365, show_default=True, help="How long it is valid.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def create(name: str, permissions: tuple[str, ...], code: str, days: int, as_json: bool) -> None:
    """Make a token and print it once."""
    database = _database()
    try:
        with database.write() as session:
            region = session.scalar(
                select(Region).where((Region.code == code) | (Region.key == code))
            )
            if region is None:
                raise click.ClickException(f"no region with code {code}")
            issued = create_token(
                session,
                SYSTEM,
                name=name,
                permissions=[Permission(p) for p in permissions],
                region=region,
                now=utc_now(),
                lifetime=timedelta(days=days),
            )
    except DomainError as error:
        raise click.ClickException(str(error.message)) from None
    finally:
        database.close()
    if as_json:
        click.echo(
            json.dumps(
                {"id": issued.id, "token": issued.text, "expires_at": issued.expires_at.isoformat()}
            )
        )
    else:
        click.echo(issued.text)
        click.echo(f"Valid until {issued.expires_at:%Y-%m-%d}. It is not shown again.", err=True)


@token.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_(as_json: bool) -> None:
    """List tokens; never their text."""
    database = _database()
    with database.read() as session:
        rows = [
            {
                "id": t.id,
                "name": t.name,
                "region": t.region.code,
                "permissions": t.permissions,
                "expires_at": t.expires_at.isoformat(),
                "revoked_at": t.revoked_at.isoformat() if t.revoked_at else None,
                "last_used_at": t.last_used_at.isoformat() if t.last_used_at else None,
            }
            for t in list_tokens(session)
        ]
    database.close()
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        state = "revoked" if row["revoked_at"] else f"until {row['expires_at']}"
        click.echo(f"{row['id']:>5}  {row['name']}  {row['region']}  {state}")


@token.command()
@click.argument("token_id", type=int)
def revoke(token_id: int) -> None:
    """Stop a token at once."""
    database = _database()
    try:
        with database.write() as session:
            changed = revoke_token(session, SYSTEM, token_id, utc_now())
    except DomainError:
        raise click.ClickException(f"no token {token_id}") from None
    finally:
        database.close()
    click.echo("revoked" if changed else "was revoked already")
