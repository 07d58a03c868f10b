"""``linli doctor``: see :mod:`portal.doctor`."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict

import click

from portal import config as configuration
from portal.cli import EXIT_NO

_COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="A list of {part, state, seen, advice}.")
def doctor(as_json: bool) -> None:
    """Check each part and say what to do; changes nothing, works while nothing runs.

    Exit codes: 0 all well or only warnings, 1 something fails.
    """
    config, _ = configuration.load()
    import structlog

    from portal.doctor import State, examine

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    findings = examine(config)
    if as_json:
        click.echo(json.dumps([asdict(f) for f in findings], ensure_ascii=False, indent=2))
    else:
        width = max(len(finding.part) for finding in findings)
        for finding in findings:
            state = click.style(f"{finding.state:<4}", fg=_COLOURS[finding.state], bold=True)
            click.echo(f"{state}  {finding.part:<{width}}  {finding.seen}")
            if finding.advice:
                click.echo(f"{'':<{width + 8}}→ {finding.advice}")
    if any(finding.state is State.FAIL for finding in findings):
        raise SystemExit(EXIT_NO)
