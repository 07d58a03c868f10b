"""Which mosquitto this machine can start: an installed one, else one unpacked into the cache.

Candidates are tried in order (PATH, the sbin folders that are on root's PATH only, the cache) and
the first that really runs is taken; one that does not, for example for a missing library, is
logged and passed over. Nothing is installed or fetched here: `provisioning/system/packages.sh`
does that.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import structlog

from mqtt.unpacked import Unpacked, find_unpacked

_log = structlog.get_logger(__name__)

_SBIN = (Path("/usr/sbin"), Path("/usr/local/sbin"), Path("/opt/homebrew/sbin"))
_ANSWERS_WITHIN = 10  # seconds for `mosquitto -h`
_VERSION = re.compile(r"mosquitto version (\d+)\.(\d+)\.(\d+)")


@dataclass(frozen=True, slots=True)
class Mosquitto:
    """A mosquitto that was seen to run on this machine.

    `environment` is what a child process needs over and above our own (`LD_LIBRARY_PATH` for an
    unpacked one, else nothing). `passwd` is the `mosquitto_passwd` that came with it;
    `dynamic_security` the plugin; each None when the package lacks it.
    """

    program: Path
    version: tuple[int, int, int]
    origin: Literal["installed", "unpacked"]
    environment: Mapping[str, str]
    passwd: Path | None
    dynamic_security: Path | None

    def command(self, *arguments: str | Path) -> list[str]:
        """The argument list that starts it, for `subprocess`."""
        return [str(self.program), *map(str, arguments)]

    def child_environment(self) -> dict[str, str]:
        """Our environment with what this mosquitto needs, for `subprocess`."""
        return {**os.environ, **self.environment}


def find_mosquitto(cache: Path | None = None) -> Mosquitto | None:
    """The mosquitto to start, or None when this machine has none that runs.

    `cache` is the cache folder to look in, by default `mqtt.unpacked.cache_folder()`.
    """
    for candidate in _candidates(cache):
        found = _probe(*candidate)
        if found:
            return found
    return None


def _candidates(cache: Path | None) -> Iterator[tuple[Path, Unpacked | None]]:
    on_path = shutil.which("mosquitto")
    if on_path:
        yield Path(on_path), None
    for folder in _SBIN:
        if os.access(folder / "mosquitto", os.X_OK):
            yield folder / "mosquitto", None
    unpacked = find_unpacked("mosquitto", cache)
    program = unpacked.program("mosquitto") if unpacked else None
    if program:
        yield program, unpacked


def _probe(program: Path, unpacked: Unpacked | None) -> Mosquitto | None:
    environment = _library_path(unpacked) if unpacked else {}
    try:
        # -h prints the version and exits with a code that differs between releases.
        answer = subprocess.run(
            [str(program), "-h"],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_ANSWERS_WITHIN,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        _log.warning("mosquitto_unusable", program=str(program), cause=str(error))
        return None
    version = _VERSION.search(answer.stdout)
    if not version:
        cause = (answer.stderr or answer.stdout).strip().splitlines()[:1]
        _log.warning("mosquitto_unusable", program=str(program), cause=cause)
        return None
    major, minor, patch = (int(part) for part in version.groups())
    return Mosquitto(
        program=program,
        version=(major, minor, patch),
        origin="unpacked" if unpacked else "installed",
        environment=environment,
        passwd=_passwd(unpacked),
        dynamic_security=_dynamic_security(unpacked),
    )


def _library_path(unpacked: Unpacked) -> dict[str, str]:
    folders = [str(folder) for folder in unpacked.library_folders()]
    inherited = os.environ.get("LD_LIBRARY_PATH")
    if inherited:
        folders.append(inherited)
    return {"LD_LIBRARY_PATH": os.pathsep.join(folders)} if folders else {}


def _passwd(unpacked: Unpacked | None) -> Path | None:
    if unpacked:
        return unpacked.program("mosquitto_passwd")
    found = shutil.which("mosquitto_passwd")
    return Path(found) if found else None


def _dynamic_security(unpacked: Unpacked | None) -> Path | None:
    name = "mosquitto_dynamic_security.so"
    if unpacked:
        return unpacked.library(name)
    for top in (Path("/usr/lib"), Path("/usr/local/lib"), Path("/opt/homebrew/lib")):
        for path in (top / name, *sorted(top.glob(f"*-linux-*/{name}"))):
            if path.exists():
                return path
    return None
