"""`linli pass`: look into a signed pass from the command line, with or without an installation.

Exit code 0: valid; 1: not valid, with the reason on standard error, or no installation to ask; 2: wrong
use, or a key set that cannot be read.
"""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click
from sqlalchemy.exc import SQLAlchemyError

from portal import config as configuration
from portal.core.db import Database
from portal.core.identifiers import check_uscc
from portal.models import Pass
from portal.passes.claims import PassClaims
from portal.passes.keys import KeySet, KeySetError
from portal.passes.signing import load_keyset
from portal.passes.token import TokenError, read
from portal.passes.verdict import Reason, Verdict
from portal.passes.verdict import verify as judge


@click.group("pass")
def group() -> None:
    """Look into signed passes."""


@group.command()
@click.argument("token")
@click.option(
    "--keys",
    "key_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Published key set to check with; without it, keys and revocations of this installation.",
)
@click.option("--issuer", help="Accept passes of this community only (its code).")
@click.option(
    "--at",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S%z"]),
    help="Judge at this time instead of now, for instance 2026-11-22T16:00:00+0800.",
)
@click.option("--json", "as_json", is_flag=True, help="Answer as one JSON object.")
def verify(
    token: str, key_file: Path | None, issuer: str | None, at: datetime | None, as_json: bool
) -> None:
    """Print what TOKEN claims, the verdict and its reason. "-" reads TOKEN from standard input.

    Whether a gate would open also depends on its rules, on use counts and, with --keys, on
    revocations that are not known here.
    """
    if token == "-":  # noqa: S105 - a sign for standard input
        token = sys.stdin.read(65536)
    token = token.strip("\r\n")  # spaces belong to Base45
    if issuer is not None and not check_uscc(issuer).valid:
        raise click.BadParameter("not a unified social credit code", param_hint="--issuer")
    now = at or datetime.now(UTC)
    if key_file:
        verdict = judge(token, _published(key_file), now, issuer=issuer)
    else:
        verdict = _judge_here(token, now, issuer)
    claims = verdict.claims or _unproven(token)
    if as_json:
        click.echo(json.dumps(_as_json(verdict, claims), ensure_ascii=False))
    else:
        _print(verdict, claims)
    if not verdict.ok:
        click.echo(f"{verdict.reason.value}: {verdict.sentence}", err=True)
        sys.exit(1)


def _published(path: Path) -> KeySet:
    try:
        return KeySet.from_json(path.read_bytes())
    except (KeySetError, OSError) as error:
        raise click.BadParameter(str(error), param_hint="--keys") from error


def _judge_here(token: str, now: datetime, issuer: str | None) -> Verdict:
    """With what this installation knows: its keys, and which passes it has withdrawn."""
    config, _ = configuration.load()
    if not config.database_url and not (config.data_dir / "linli.db").exists():
        raise click.ClickException(
            f"no installation in {config.data_dir}: name a key set with --keys, or LINLI_DATA_DIR"
        )
    database = Database(config.effective_database_url)
    try:
        with database.read() as session:

            def revoked(claims: PassClaims) -> bool:
                row = session.get(Pass, claims.pass_id.hex())
                return row is not None and row.revoked_at is not None

            return judge(token, load_keyset(session), now, issuer=issuer, revoked=revoked)
    except SQLAlchemyError as error:
        raise click.ClickException(
            f"the database does not answer: {getattr(error, 'orig', error)}. See `linli config`."
        ) from error
    finally:
        database.close()


def _unproven(token: str) -> PassClaims | None:
    try:
        return read(token).claims
    except TokenError:
        return None


def _as_json(verdict: Verdict, claims: PassClaims | None) -> dict[str, object]:
    return {
        "valid": verdict.ok,
        "reason": verdict.reason.value,
        "message": verdict.sentence,
        "signature_holds": verdict.claims is not None,
        "key_id": verdict.key_id.hex() if verdict.key_id else None,
        "claims": claims.as_json() if claims else None,
    }


def _print(verdict: Verdict, claims: PassClaims | None) -> None:
    click.echo(f"verdict: {'valid' if verdict.ok else 'not valid'}")
    click.echo(f"reason: {verdict.reason.value}")
    if verdict.key_id:
        known = "unknown here" if verdict.reason is Reason.UNKNOWN_KEY else "known"
        click.echo(f"key: {verdict.key_id.hex()} ({known})")
    if claims:
        click.echo("claims:" if verdict.claims else "claims, NOT proven by a signature:")
        for name, value in claims.as_json().items():
            shown = (
                " ".join(map(str, value)) or "whole community" if isinstance(value, list) else value
            )
            click.echo(f"  {name}: {shown}")
