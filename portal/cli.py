"""The command line ``linli``.

Sub-commands live in ``portal/cli_*.py`` and are imported when they are asked for: `linli --help` and
`linli check` stay quick, and a part that cannot be imported breaks no other.

Exit codes, for scripts: 0 done, or "yes"; 1 "no": a check failed, a value is invalid; 2 wrong usage;
3 already running; 4 a port is taken; 69 a part is missing from this installation; 78 the configuration
is wrong (sysexits.h). A command that uses others says so in its own help.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Final

import click

from portal.config import ConfigError

EXIT_NO: Final = 1
EXIT_RUNNING: Final = 3
EXIT_PORT: Final = 4
EXIT_UNAVAILABLE: Final = 69
EXIT_CONFIG: Final = 78


@dataclass(frozen=True, slots=True)
class Entry:
    """One sub-command: where it lives, and its line in the help."""

    module: str
    attribute: str
    section: str
    about: str


SECTIONS: Final = ("Run", "Look", "Community", "Develop")
COMMANDS: Final[dict[str, Entry]] = {
    "up": Entry("portal.cli_up", "up", "Run", "Start everything and print where to click."),
    "serve": Entry("portal.cli_serve", "serve", "Run", "Run one process: web, worker or ingest."),
    "simulate": Entry("portal.cli_simulate", "simulate", "Run", "Run and act for virtual devices."),
    "doctor": Entry("portal.cli_doctor", "doctor", "Look", "Check each part and say what to do."),
    "config": Entry(
        "portal.cli_config", "config", "Look", "Show settings and where they come from."
    ),
    "db": Entry("portal.cli_db", "db", "Look", "Upgrade, check or downgrade the database."),
    "demo": Entry("portal.cli_demo", "demo", "Community", "Sign-ins of the demo community."),
    "account": Entry(
        "portal.cli_account", "account", "Community", "Invite staff, list and enable accounts."
    ),
    "audit": Entry(
        "portal.cli_audit", "audit", "Look", "Verify and export the log of who did what."
    ),
    "token": Entry(
        "portal.cli_token", "token", "Community", "Tokens for machines that use the API."
    ),
    "regions": Entry(
        "portal.cli_regions", "group", "Community", "Import and look at the region tree."
    ),
    "pass": Entry("portal.cli_pass", "group", "Community", "Look into a QR pass."),
    "check": Entry(
        "portal.cli_check", "group", "Community", "Check a USCC, identity number or plate."
    ),
    "contract": Entry(
        "portal.cli_contract",
        "contract",
        "Develop",
        "Generate what is made from the MQTT contract.",
    ),
    "bench": Entry("portal.cli_bench", "bench", "Develop", "Measure."),
    "i18n": Entry("portal.cli_i18n", "i18n", "Develop", "Translations."),
}

EPILOG: Final = """\
\b
Examples:
  linli up --demo                        a whole virtual community on this machine
  linli demo code worker                 the six digits for signing in as the demo's worker
  linli simulate scan gate-south-in --image pass.png
  linli doctor                           what is wrong, and what to do about it
  LINLI_HTTP_PORT=8081 linli up          every setting is an environment variable
"""


class ConfigProblem(click.ClickException):
    """A setting is wrong: one line that names it, exit code 78."""

    exit_code = EXIT_CONFIG

    def show(self, file: object = None) -> None:
        """Write the line to standard error."""
        click.echo(f"linli: {self.message}", err=True)


class MissingPart(click.ClickException):
    """A sub-command cannot be imported here: exit code 69."""

    exit_code = EXIT_UNAVAILABLE

    def show(self, file: object = None) -> None:
        """Write the line to standard error."""
        click.echo(f"linli: {self.message}", err=True)


class Sections(click.Group):
    """A group that imports its commands late and lists them by section."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Every name, in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command now.

        Raises:
            MissingPart: its module, or something that it needs, is not here.
        """
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        try:
            command: click.Command = getattr(importlib.import_module(entry.module), entry.attribute)
        except (ImportError, AttributeError) as error:
            raise MissingPart(f"`{cmd_name}` is not part of this installation ({error})") from error
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """One list a section, without importing anything."""
        for section in SECTIONS:
            rows = [(name, e.about) for name, e in COMMANDS.items() if e.section == section]
            with formatter.section(section):
                formatter.write_dl(rows)

    def invoke(self, ctx: click.Context) -> object:
        """Run, turning a configuration error into its one line."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            raise ConfigProblem(str(error)) from error


@click.group(
    "linli",
    cls=Sections,
    epilog=EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="linli", message="%(prog)s %(version)s")
def main() -> None:
    """Linli (邻里) runs a residential community: residents, passes, gates, lockers, alarm buttons.

    Everything lies in one data folder (LINLI_DATA_DIR, ./data when not set). `linli COMMAND --help`
    tells more. Exit codes: 0 done, 1 no, 2 wrong usage, 3 already running, 4 port taken,
    69 part missing, 78 wrong configuration.
    """
