"""``linli up``: see :mod:`portal.supervisor`."""

from __future__ import annotations

import click

from portal import config as configuration


class CannotStart(click.ClickException):
    """Keys, broker or database stand in the way; the message says what to do. Exit code 1."""


@click.command()
@click.option(
    "--demo",
    is_flag=True,
    help="Make a virtual community in an empty database, and run its devices.",
)
@click.option("--no-simulator", is_flag=True, help="With --demo: do not run the virtual devices.")
@click.option(
    "--open", "open_browser", is_flag=True, help="Open the portal in the browser when it is ready."
)
def up(demo: bool, no_simulator: bool, open_browser: bool) -> None:
    """Start broker, ingest, worker and web; print where to click; Ctrl-C stops all.

    Everything lies in the data folder and is there again after a restart. What dies is started again.

    Exit codes: 0 stopped; 1 a part could not be started; 3 already running; 4 a port is taken;
    78 wrong configuration.
    """
    config, _ = configuration.load()

    from sqlalchemy.exc import SQLAlchemyError

    from mqtt.broker.credentials import CredentialsError
    from mqtt.broker.embedded import BrokerMissingError
    from portal.core import logs
    from portal.core.crypto.envelope import EnvelopeError
    from portal.core.crypto.master_key import MasterKeyError
    from portal.supervisor.run import Options, run

    logs.configure(config, "up")
    options = Options(demo=demo, simulator=not no_simulator, open_browser=open_browser)
    try:
        code = run(config, options)
    except (CredentialsError, BrokerMissingError, MasterKeyError, EnvelopeError) as error:
        raise CannotStart(str(error)) from error
    except SQLAlchemyError as error:
        cause = getattr(error, "orig", None) or error
        raise CannotStart(f"the database cannot be used: {cause} (LINLI_DATABASE_URL)") from error
    raise SystemExit(code)
