"""Debian packages unpacked into the cache folder, for machines where nothing may be installed.

`provisioning/system/packages.sh unpack PACKAGE` lays a package and the libraries it lacks into
`CACHE/system/PACKAGE` and writes `unpacked.txt` there last; a folder without that file is not
complete and is passed over. The cache is `LINLI_CACHE_DIR`, else `.cache` in a source checkout,
else `linli` in the user's own cache folder (XDG base directories).
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_CHECKOUT = Path(__file__).resolve().parents[1]
_COMPLETE = "unpacked.txt"


@dataclass(frozen=True, slots=True)
class Unpacked:
    """One unpacked package; `root` stands for `/` of the package's own file names."""

    root: Path

    def program(self, name: str) -> Path | None:
        """The executable called `name`, or None when the package holds none."""
        for folder in ("usr/sbin", "usr/bin"):
            path = self.root / folder / name
            if os.access(path, os.X_OK):
                return path
        return None

    def library(self, name: str) -> Path | None:
        """The shared object called `name` (for example `libzbar.so.0`), or None."""
        for folder in self.library_folders():
            if (folder / name).exists():
                return folder / name
        return None

    def library_folders(self) -> tuple[Path, ...]:
        """The folders that hold shared objects, those of the machine's architecture included."""
        return tuple(sorted(set(self._folders_with_shared_objects())))

    def shared_objects(self) -> tuple[Path, ...]:
        """Every library of the package under the name other libraries ask for it by."""
        return tuple(
            sorted(
                path for folder in self.library_folders() for path in folder.glob("lib*.so.[0-9]*")
            )
        )

    def _folders_with_shared_objects(self) -> Iterator[Path]:
        for top in ("lib", "usr/lib"):
            for pattern in ("*.so*", "*-linux-*/*.so*"):
                for path in (self.root / top).glob(pattern):
                    yield path.parent


def cache_folder() -> Path:
    """The folder for things that can be fetched again; it need not exist yet."""
    chosen = os.environ.get("LINLI_CACHE_DIR")
    if chosen:
        return Path(chosen).expanduser()
    if (_CHECKOUT / "pyproject.toml").is_file():
        return _CHECKOUT / ".cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "linli"


def find_unpacked(package: str, cache: Path | None = None) -> Unpacked | None:
    """The Debian package `package` in the cache, or None when it was not unpacked completely."""
    root = (cache or cache_folder()) / "system" / package
    return Unpacked(root) if (root / _COMPLETE).is_file() else None
