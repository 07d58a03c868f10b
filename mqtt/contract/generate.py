"""Everything made from the contract: AsyncAPI document, JSON Schemas, firmware and integration files.

The files are checked in and never edited; ``differences`` is what continuous integration asks.
Deterministic: the same contract gives the same bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from mqtt.contract import asyncapi, firmware, homeassistant, schemas
from mqtt.contract.yaml_text import to_yaml

NOTICE: Final = "Generated from mqtt/contract by `linli contract generate`, do not edit."
FOLDERS: Final = (
    "mqtt/contract/generated",
    "firmware/generated",
    "integrations/custom_components/linli/contract",
)
"""Folders that hold generated files and nothing else."""


def artefacts() -> dict[str, bytes]:
    """Path relative to the repository's root, with forward slashes → the file's bytes."""
    documents, devices, integration = FOLDERS
    files = {f"{documents}/asyncapi.yaml": to_yaml(asyncapi.document(), NOTICE)}
    files |= {f"{documents}/schemas/{n}": data for n, data in schemas.artefacts().items()}
    files[f"{devices}/linli_contract.h"] = firmware.header(NOTICE)
    comment = (
        f"{NOTICE}\n"
        "Include as a package; set the substitutions linli_community and linli_device beside it."
    )
    files[f"{devices}/contract.yaml"] = to_yaml(firmware.package(), comment)
    files |= {f"{integration}/{n}": data for n, data in homeassistant.artefacts(NOTICE).items()}
    return dict(sorted(files.items()))


def _stale(root: Path, wanted: set[str]) -> list[str]:
    found = []
    for folder in FOLDERS:
        for path in (root / folder).rglob("*"):
            relative = path.relative_to(root).as_posix()
            if path.is_file() and "__pycache__" not in path.parts and relative not in wanted:
                found.append(relative)
    return found


def differences(root: Path) -> list[str]:
    """Files below ``root`` that are missing, differ, or should not be there, sorted."""
    wanted = artefacts()
    changed = [
        name
        for name, data in wanted.items()
        if not (root / name).is_file() or (root / name).read_bytes() != data
    ]
    return sorted([*changed, *_stale(root, set(wanted))])


def write(root: Path) -> list[str]:
    """Bring the files below ``root`` up to date; returns what was written or removed, sorted."""
    changed = differences(root)
    wanted = artefacts()
    for name in changed:
        path = root / name
        if name in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(wanted[name])
        else:
            path.unlink()
    return changed
