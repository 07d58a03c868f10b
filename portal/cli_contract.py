"""``linli contract``: generate what is made from the contract, show it, check a payload against it.

Exit codes: 0 fine, 1 files differ or the payload is refused, 2 wrong usage.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

import click
from rich.console import Console
from rich.table import Table

import mqtt.contract
from mqtt.contract.check import check as check_payload
from mqtt.contract.codec import MessageError
from mqtt.contract.delivery import ANSWERED
from mqtt.contract.generate import artefacts, differences, write
from mqtt.contract.messages import COMMANDS, EVENTS
from mqtt.contract.telemetry import MEASURES
from mqtt.contract.topics import MAX_PAYLOAD_BYTES, ROOT


def _repository() -> Path:
    return Path(mqtt.contract.__file__).resolve().parents[2]


@click.group("contract")
def contract() -> None:
    """Topics and payloads between devices and portal."""


@contract.command()
@click.option("--check", is_flag=True, help="Write nothing; exit 1 and name the files that differ.")
@click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    help="Repository to write into; the one this program runs from by default.",
)
def generate(check: bool, root: Path | None) -> None:
    """Make the AsyncAPI document, JSON Schemas, firmware and integration files."""
    place = root or _repository()
    if check:
        changed = differences(place)
        for name in changed:
            click.echo(name)
        if changed:
            click.echo(
                f"{len(changed)} generated files differ: run `linli contract generate`.", err=True
            )
            raise SystemExit(1)
        click.echo(f"{len(artefacts())} generated files are up to date.")
        return
    changed = write(place)
    for name in changed:
        click.echo(name)
    click.echo(f"{len(changed)} files written.", err=True)


def _rows() -> list[dict[str, str]]:
    rows = [{"topic": "status", "from": "device", "title": "online or offline, retained"}]
    measures = {m.key: m for kind in MEASURES.values() for m in kind}
    for key, measure in sorted(measures.items()):
        unit = f", {measure.unit}" if measure.unit else ""
        rows.append({"topic": f"{key}/state", "from": "device", "title": measure.title + unit})
    for name, event in EVENTS.items():
        rows.append({"topic": f"event/{name}", "from": "device", "title": event.TITLE})
    for name, command in COMMANDS.items():
        rows.append({"topic": f"command/{name}", "from": "portal", "title": command.TITLE})
        if name in ANSWERED:
            rows.append({"topic": f"result/{name}", "from": "device", "title": f"Answer to {name}"})
    return rows


@contract.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON document instead of a table.")
def show(as_json: bool) -> None:
    """List every topic with its direction and meaning."""
    rows = _rows()
    prefix = f"{ROOT}/{{community}}/{{device}}/"
    if as_json:
        click.echo(json.dumps({"prefix": prefix, "topics": rows}, indent=2, ensure_ascii=False))
        return
    table = Table(title=f"Below {prefix}", title_justify="left")
    table.add_column("topic", no_wrap=True)
    table.add_column("from")
    table.add_column("meaning")
    for row in rows:
        table.add_row(row["topic"], row["from"], row["title"])
    Console().print(table)


@contract.command()
@click.argument("topic")
@click.argument("file", type=click.File("rb"))
@click.option(
    "--fresh", is_flag=True, help="Refuse an event that is too old or ahead of the clock."
)
@click.option("--json", "as_json", is_flag=True, help="Answer as JSON.")
def validate(topic: str, file: IO[bytes], fresh: bool, as_json: bool) -> None:
    """Check the payload in FILE (- is standard input) as if published on TOPIC."""
    payload = file.read(MAX_PAYLOAD_BYTES + 1)
    now = datetime.now(UTC) if fresh else None
    answer: dict[str, object]
    try:
        parsed = check_payload(topic, payload, now)
        answer = {"valid": True, "channel": parsed.channel.value, "name": parsed.name}
    except MessageError as error:
        answer = {"valid": False, "fault": error.fault.value, "detail": error.detail}
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False))
    elif answer["valid"]:
        click.echo(f"valid {answer['channel']} {answer['name']}".rstrip())
    else:
        click.echo(f"{answer['fault']}: {answer['detail']}", err=True)
    if not answer["valid"]:
        raise SystemExit(1)
