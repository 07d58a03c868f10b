"""``linli demo``: sign-ins of the demo community, from ``demo-accounts.json`` in the data folder."""

from __future__ import annotations

import json
from typing import Any

import click

from portal import config as configuration
from portal.cli import EXIT_NO


class Unknown(click.ClickException):
    """There is no demo here, or no such account. Exit code 1."""

    exit_code = EXIT_NO


def _accounts() -> list[dict[str, Any]]:
    return list(_read("demo-accounts.json"))


def _read(name: str) -> Any:
    config, _ = configuration.load()
    path = config.path(name)
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise Unknown(
            f"no demo here ({path} is missing): start one with `linli up --demo`"
        ) from None
    except (OSError, ValueError) as error:
        raise Unknown(f"{path} cannot be read: {error}") from error


@click.group()
def demo() -> None:
    """Sign-ins of the demo community."""


@demo.command()
@click.option("--json", "as_json", is_flag=True, help="The file's own list.")
def accounts(as_json: bool) -> None:
    """List who can sign in, with passwords."""
    found = _accounts()
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False, indent=2))
        return
    for account in found:
        factor = "+ code" if account["totp_secret"] else ""
        click.echo(
            f"{account['role']:<15} {account['username']:<12} {account['password']}  {factor:<6} "
            f"{account['note']}"
        )


def _phone_code(phone: str, *, as_json: bool) -> None:
    from portal.accounts.sms import FILE, shown_code

    config, _ = configuration.load()
    digits = shown_code(config.path(FILE), phone)
    if digits is None:
        raise Unknown(
            f"{phone} signs in with the password, or with a code: ask for one at "
            f"{config.effective_public_url}/sign-in/phone, then run this again"
        )
    click.echo(json.dumps({"username": phone, "code": digits}) if as_json else digits)


@demo.command()
@click.argument("username")
@click.option("--json", "as_json", is_flag=True, help="{username, code, seconds_left}.")
def code(username: str, as_json: bool) -> None:
    """Print the six digits that USERNAME's authenticator would show now.

    For a resident (a phone number): the last code that was "sent" to that phone. Each works once.
    Exit code 1 when there is no such account, or no code was asked for.
    """
    import time

    import pyotp

    account = next((a for a in _accounts() if a["username"] == username), None)
    if account is None:
        raise Unknown(f"no demo account {username!r}: see `linli demo accounts`")
    if not account["totp_secret"]:
        _phone_code(username, as_json=as_json)
        return
    totp = pyotp.TOTP(account["totp_secret"])
    now = time.time()
    digits, left = totp.at(int(now)), totp.interval - int(now) % totp.interval
    if as_json:
        click.echo(json.dumps({"username": username, "code": digits, "seconds_left": left}))
    else:
        click.echo(digits)
        click.echo(f"valid for {left} s", err=True)


@demo.command()
def courier() -> None:
    """Print the courier's code, and how to play a courier."""
    code = dict(_read("demo.json")).get("courier_code")
    if not code:
        raise Unknown("this demo was made before there were lockers: start one anew")
    config, _ = configuration.load()
    click.echo(code)
    click.echo(
        f"Open {config.effective_public_url}/c/{code} and store a parcel. A door that opens is closed with\n"
        "the parcel inside after 20 seconds, or at once: linli simulate close locker-south NUMBER\n"
        "A resident takes it out: linli simulate close locker-south NUMBER --empty",
        err=True,
    )
