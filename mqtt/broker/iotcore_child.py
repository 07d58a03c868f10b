"""iotcore's broker as a process of its own: ``python -m mqtt.broker.iotcore_child CONFIGURATION``.

It runs until SIGTERM or SIGINT, which end it at once: this broker keeps nothing on disk, so there is
nothing to save. rumqttd logs every packet as an error; only what it says at the level asked for by
``LINLI_LOG_LEVEL=debug`` is let through.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Run the broker; returns the exit code 2 when called wrongly."""
    if len(arguments) != 1 or not Path(arguments[0]).is_file():
        sys.stderr.write("usage: python -m mqtt.broker.iotcore_child CONFIGURATION\n")
        return 2
    from iotcore import IotCoreBroker

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    debug = os.environ.get("LINLI_LOG_LEVEL") == "debug"
    logging.getLogger("rumqttd").setLevel(logging.DEBUG if debug else logging.CRITICAL)
    IotCoreBroker(config_path=arguments[0]).run_forever()
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
