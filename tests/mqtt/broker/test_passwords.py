"""Password hashes in mosquitto's form."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mqtt.broker.binaries import find_mosquitto
from mqtt.broker.passwords import hash_password, new_password, verify_password
from tests.services.requirement import lacking


@given(st.text(min_size=1, max_size=40), st.text(min_size=1, max_size=40))
def test_only_the_right_password_fits(password: str, other: str) -> None:
    hashed = hash_password(password, iterations=1)
    assert verify_password(password, hashed)
    assert verify_password(other, hashed) == (password == other)


def test_the_same_password_never_has_the_same_hash() -> None:
    assert hash_password("gate") != hash_password("gate")
    assert len({new_password() for _ in range(100)}) == 100


@pytest.mark.parametrize(
    "hashed", ["", "$7$101$", "$6$101$AAAA$AAAA", "$7$0$AAAA$AAAA", "$7$1$A$A", "plain"]
)
def test_what_is_no_hash_fits_nothing(hashed: str) -> None:
    assert not verify_password("gate", hashed)


def test_no_iteration_is_no_hash() -> None:
    with pytest.raises(ValueError, match="at least one"):
        hash_password("gate", iterations=0)


@pytest.mark.broker
def test_mosquittos_own_tool_writes_what_is_read_here(tmp_path: Path) -> None:
    found = find_mosquitto()
    if found is None or found.passwd is None:
        lacking("mosquitto")
    path = tmp_path / "passwords"
    path.touch(mode=0o600)
    subprocess.run(
        [str(found.passwd), "-b", str(path), "gate", "let-me-in"],
        check=True,
        capture_output=True,
        env=found.child_environment(),
    )
    name, _, hashed = path.read_text("ascii").strip().partition(":")
    assert name == "gate"
    assert verify_password("let-me-in", hashed)
    assert not verify_password("let-me-out", hashed)
