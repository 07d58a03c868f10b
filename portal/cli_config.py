"""``linli config``: every setting, its effective value and where that comes from; secrets masked."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from portal import config as configuration


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of {key, shown, source, about}.")
def config(as_json: bool) -> None:
    """Show every setting, its value and where that comes from.

    Strongest first: the environment, a file named by NAME_FILE, the TOML file (LINLI_CONFIG, or
    linli.toml in the data folder), the default. A key of the file is the name in lower case without
    LINLI_. Secrets are masked.
    """
    _, origins = configuration.load()
    if as_json:
        click.echo(json.dumps([asdict(origin) for origin in origins], ensure_ascii=False, indent=2))
        return
    key_width = max(len(origin.key) for origin in origins)
    value_width = min(48, max(len(origin.shown or "-") for origin in origins))
    for origin in origins:
        value = origin.shown or "-"
        name = click.style(f"{origin.key:<{key_width}}", bold=origin.source != "default")
        click.echo(f"{name}  {value:<{value_width}}  ({origin.source})")
        click.echo(click.style(f"{'':<{key_width}}  {origin.about}", dim=True))
