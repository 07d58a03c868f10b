"""Checks of the machine: Python, libraries, data folder, clock."""

from __future__ import annotations

import os
import platform
import shutil
import stat
import sys
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from mqtt.simulator import zbar
from portal.config import Config
from portal.doctor.findings import Finding, fail, ok, warn

OLDEST_PYTHON: Final = (3, 11)
LITTLE_ROOM: Final = 2 * 1024**3
NO_ROOM: Final = 200 * 1024**2
BUILT_AFTER: Final = datetime(2026, 1, 1, tzinfo=UTC)
SECRETS: Final = (
    "keys/master.key",
    "secret.key",
    "broker/credentials.json",
    "broker/passwords",
    "demo-accounts.json",
    "simulated-devices.json",
)


def python() -> Finding:
    """The version of Python."""
    seen = f"Python {platform.python_version()} at {sys.executable}"
    if sys.version_info < OLDEST_PYTHON:
        return fail("python", seen, "install Python 3.11 or newer and run `make env` again")
    return ok("python", seen)


def libraries() -> Finding:
    """libzbar, which virtual gates read QR pictures with."""
    try:
        zbar.load()
    except (ImportError, OSError, zbar.ZbarMissingError) as error:
        return warn(
            "libzbar",
            str(error),
            "apt-get install libzbar0; only virtual gates that are shown a picture need it",
        )
    return ok("libzbar", "loaded")


def data_folder(config: Config) -> Finding:
    """The data folder: there, ours, closed to others, with room left."""
    path = config.data_dir
    if not path.is_dir():
        return warn("data folder", f"{path} is not there yet", "start with `linli up`")
    if not os.access(path, os.R_OK | os.W_OK | os.X_OK):
        return fail(
            "data folder", f"{path} cannot be written", f"give it to this user: chown {path}"
        )
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return fail("data folder", f"{path} is open to others ({mode:04o})", f"chmod 700 {path}")
    open_files = [
        name for name in SECRETS if (path / name).exists() and (path / name).stat().st_mode & 0o077
    ]
    if open_files:
        names = " ".join(str(path / name) for name in open_files)
        return fail("data folder", f"others can read {', '.join(open_files)}", f"chmod 600 {names}")
    free = shutil.disk_usage(path).free
    seen = f"{path}, {free / 1024**3:.1f} GiB free"
    if free < NO_ROOM:
        return fail("data folder", seen, "make room on this disk: writes will fail soon")
    if free < LITTLE_ROOM:
        return warn("data folder", seen, "make room on this disk")
    return ok("data folder", seen)


def clock(config: Config, newest: datetime | None) -> Finding:
    """The clock: passes and events carry times, so that a wrong one refuses everybody.

    Args:
        newest: the latest moment that the database holds, or a database server's own clock.
    """
    now = datetime.now(UTC)
    local = now.astimezone(ZoneInfo(config.timezone))
    seen = f"{now:%Y-%m-%d %H:%M:%S} UTC, {local:%H:%M} {config.timezone}"
    advice = "set the clock (timedatectl set-ntp true): codes are short-lived and would be refused"
    if now < BUILT_AFTER:
        return fail("clock", f"{seen}: years ago", advice)
    if newest is not None and newest > now + timedelta(minutes=1):
        return fail("clock", f"{seen}, but the database knows {newest:%Y-%m-%d %H:%M:%S}", advice)
    return ok("clock", seen)
