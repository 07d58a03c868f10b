from pathlib import Path

import mqtt.contract
from mqtt.contract.generate import FOLDERS, artefacts, differences, write

REPOSITORY = Path(mqtt.contract.__file__).parents[2]


def test_the_checked_in_files_are_what_the_contract_generates() -> None:
    assert differences(REPOSITORY) == []


def test_generating_twice_gives_the_same_bytes() -> None:
    assert artefacts() == artefacts()


def test_an_empty_place_is_filled_and_then_has_no_differences(tmp_path: Path) -> None:
    assert sorted(write(tmp_path)) == sorted(artefacts())
    assert differences(tmp_path) == []
    assert write(tmp_path) == []


def test_edited_missing_and_superfluous_files_are_named(tmp_path: Path) -> None:
    write(tmp_path)
    edited, missing = sorted(artefacts())[:2]
    (tmp_path / edited).write_bytes(b"edited")
    (tmp_path / missing).unlink()
    extra = f"{FOLDERS[0]}/schemas/event-gone.json"
    (tmp_path / extra).write_text("{}")
    assert differences(tmp_path) == sorted([edited, missing, extra])
    write(tmp_path)
    assert differences(tmp_path) == []


def test_every_file_says_that_it_is_generated() -> None:
    for name, data in artefacts().items():
        if not name.endswith(".json"):
            assert b"do not edit" in data.splitlines()[0], name
