"""Makes pyzbar usable: its wheel for Linux carries no libzbar, so we say where that lies.

libzbar is taken from the system, else from the cache (`mqtt/unpacked.py`), where it comes with
the libraries this machine lacks. Those must be in the process before libzbar itself, as the
system's loader does not search the cache. On macOS and Windows pyzbar finds its own library.
"""

import ctypes
import importlib
import sys
from pathlib import Path
from types import ModuleType

from mqtt.unpacked import find_unpacked

_SONAME = "libzbar.so.0"


class ZbarMissingError(RuntimeError):
    """libzbar is neither installed nor unpacked; the message says what to do."""


def load(cache: Path | None = None) -> ModuleType:
    """The module `pyzbar.pyzbar` with a working library behind it; cheap when called again.

    `cache` is the cache folder to look in, by default `mqtt.unpacked.cache_folder()`.
    Raises ZbarMissingError; decoding by zxing-cpp needs none of this.
    """
    loaded = sys.modules.get("pyzbar.pyzbar")
    if loaded:
        return loaded
    if sys.platform == "linux":
        library, dependencies = _libzbar(cache)
        finder = importlib.import_module("pyzbar.zbar_library")
        # pyzbar's own search asks ldconfig, gcc and ld, and knows system folders only.
        finder.load = lambda: (library, dependencies)  # type: ignore[attr-defined]
    try:
        return importlib.import_module("pyzbar.pyzbar")
    except ImportError as error:
        raise ZbarMissingError(f"pyzbar cannot load its library: {error}") from error


def _libzbar(cache: Path | None) -> tuple[ctypes.CDLL, list[ctypes.CDLL]]:
    try:
        return ctypes.CDLL(_SONAME), []
    except OSError as error:
        on_system = error
    unpacked = find_unpacked("libzbar0", cache)
    path = unpacked.library(_SONAME) if unpacked else None
    if not unpacked or not path:
        raise ZbarMissingError(
            f"libzbar is missing ({on_system}). Install it (Debian: apt-get install libzbar0; "
            "Fedora: dnf install zbar), or run: provisioning/system/packages.sh unpack libzbar0"
        )
    others = [each for each in unpacked.shared_objects() if not each.name.startswith("libzbar.so")]
    dependencies = _load_in_order(others)
    try:
        return ctypes.CDLL(str(path)), dependencies
    except OSError as error:
        raise ZbarMissingError(
            f"The unpacked libzbar does not load ({error}). "
            "Remove its folder and unpack it again: provisioning/system/packages.sh unpack libzbar0"
        ) from error


def _load_in_order(paths: list[Path]) -> list[ctypes.CDLL]:
    """Load libraries that may need each other: go round until a round loads nothing more."""
    loaded: list[ctypes.CDLL] = []
    waiting = paths
    while waiting:
        refused = []
        for path in waiting:
            try:
                loaded.append(ctypes.CDLL(str(path), mode=ctypes.RTLD_GLOBAL))
            except OSError:
                refused.append(path)
        if len(refused) == len(waiting):
            break  # what libzbar really needs of these, its own loading will name
        waiting = refused
    return loaded
