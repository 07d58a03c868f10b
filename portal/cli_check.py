"""`linli check`: is this a valid code, identity number, plate or phone number?

Exit code 0: valid; 1: invalid, with the reason on standard error; 2: wrong use.
"""

import json
import sys
from collections.abc import Callable
from typing import Any

import click

from portal.core.identifiers import (
    Checked,
    check_phone,
    check_plate,
    check_resident_id,
    check_uscc,
    sentence,
)


@click.group("check")
def group() -> None:
    """Check an identifier: exit 0 if valid, 1 with the reason if not."""


def _report(checked: Checked, *, as_json: bool) -> None:
    if as_json:
        answer = checked.as_json() | {"message": sentence(checked) or None}
        click.echo(json.dumps(answer, ensure_ascii=False))
    elif checked.valid:
        click.echo(checked.value)
        for name, value in checked.details.items():
            click.echo(f"  {name}: {json.dumps(value) if isinstance(value, bool) else value}")
    if checked.reason:
        click.echo(f"{checked.reason.value}: {sentence(checked)}", err=True)
        sys.exit(1)


def _command(name: str, check: Callable[[str], Checked], summary: str) -> None:
    @group.command(name, help=summary)
    @click.argument("value")
    @click.option("--json", "as_json", is_flag=True, help="Answer as one JSON object.")
    def _run(**arguments: Any) -> None:
        _report(check(arguments["value"]), as_json=arguments["as_json"])


_command("uscc", check_uscc, "Unified social credit code (GB 32100-2015).")
_command("id", check_resident_id, "Resident identity number (GB 11643-1999).")
_command("plate", check_plate, "Licence plate (GA 36).")
_command("phone", check_phone, "Mobile number, or an international number (E.164).")
