"""``linli bench NAME``: benches are found as entry points of the group ``linli.bench``.

That way the portal imports no bench, and a package of its own can bring one.
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Final

import click

GROUP: Final = "linli.bench"


def _found() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=GROUP)}


class Benches(click.Group):
    """The benches that are installed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Their names."""
        return sorted(_found())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load one.

        Raises:
            click.ClickException: it is installed but cannot be loaded.
        """
        point = _found().get(cmd_name)
        if point is None:
            return None
        try:
            command: click.Command = point.load()
        except (ImportError, AttributeError) as error:
            raise click.ClickException(f"the bench {cmd_name} cannot be loaded: {error}") from error
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Their names with where they come from; none is loaded, for that takes seconds."""
        rows = [(name, point.module) for name, point in sorted(_found().items())]
        if rows:
            with formatter.section("Benches"):
                formatter.write_dl(rows)


@click.group(cls=Benches)
def bench() -> None:
    """Measure. Each bench starts and stops what it needs on free loopback ports.

    All take --quick (ends within 60 s) and --json FILE; a table is printed.
    """
