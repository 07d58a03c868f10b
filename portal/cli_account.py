"""`linli account`: the first administrators of an installation, and a way back in when all are locked out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy import select

from portal import config as configuration
from portal.accounts import staff
from portal.accounts.models import User
from portal.config import Config
from portal.core.clock import utc_now
from portal.core.db import Database
from portal.core.errors import DomainError
from portal.core.keys import install_keys
from portal.core.permissions import SYSTEM, Role
from portal.regions.models import Region


@contextmanager
def _opened() -> Iterator[tuple[Config, Database]]:
    config, _ = configuration.load()
    database = Database(config.effective_database_url)
    try:
        install_keys(config, database)
        yield config, database
    except DomainError as error:
        raise click.ClickException(str(error.message)) from None
    finally:
        database.close()


@click.group()
def account() -> None:
    """Invite staff, list and enable accounts."""


@account.command()
@click.argument("note")
@click.option("--region", "code", required=True, help="Code of the region it belongs to.")
@click.option(
    "--role", type=click.Choice([r.value for r in Role]), help="A role on that region, at once."
)
def invite(note: str, code: str, role: str | None) -> None:
    """Print a one-time link for a new account; NOTE says whom it is for.

    With --role system_admin, security_admin and audit_admin for three people, an installation begins;
    from then on invitations and roles are given in the portal.
    """
    with _opened() as (config, database), database.write() as session:
        region = session.scalar(select(Region).where((Region.code == code) | (Region.key == code)))
        if region is None:
            raise click.ClickException(f"no region with code {code}")
        made = staff.invite(
            session, SYSTEM, region.id, note, utc_now(), role=Role(role) if role else None
        )
        link = f"{config.effective_public_url}/join/{made.token}"
    click.echo(link)
    click.echo(
        f"Valid once, until {made.expires_at:%Y-%m-%d %H:%M} UTC. Not shown again.", err=True
    )


@account.command("list")
def list_() -> None:
    """List accounts of staff: user name, state, last sign-in."""
    with _opened() as (_config, database), database.read() as session:
        rows = session.scalars(
            select(User).where(User.resident_id.is_(None)).order_by(User.username)
        )
        for row in rows:
            state = "active" if row.active else f"disabled ({row.disabled_reason or '?'})"
            last = f"{row.last_sign_in_at:%Y-%m-%d %H:%M}" if row.last_sign_in_at else "never"
            click.echo(f"{row.username:<20} {state:<20} {last}")


@account.command()
@click.argument("username")
def enable(username: str) -> None:
    """Enable the account of USERNAME."""
    with _opened() as (_config, database), database.write() as session:
        user_id = session.scalar(select(User.id).where(User.username == username))
        if user_id is None:
            raise click.ClickException(f"no account {username!r}")
        changed = staff.enable(session, SYSTEM, user_id, utc_now())
    click.echo("enabled" if changed else "was enabled already")


@account.command()
@click.argument("username")
def renew(username: str) -> None:
    """Print a one-time link with which USERNAME sets a new password and second factor."""
    with _opened() as (config, database), database.write() as session:
        user_id = session.scalar(select(User.id).where(User.username == username))
        if user_id is None:
            raise click.ClickException(f"no account {username!r}")
        made = staff.renew(session, SYSTEM, user_id, utc_now())
        link = f"{config.effective_public_url}/join/{made.token}"
    click.echo(link)
