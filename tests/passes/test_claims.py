"""What the claims of a pass can and cannot say."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from portal.passes.claims import PassClaims, PassKind

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
GOOD: dict[str, Any] = {
    "issuer": "91110000600037341L",
    "pass_id": bytes(16),
    "kind": PassKind.VISITOR,
    "issued_at": NOW,
    "not_before": NOW,
    "expires_at": NOW + timedelta(minutes=2),
    "scope": (1, "east-gate"),
    "use_limit": 1,
    "code_id": bytes(8),
}


def test_claims_survive_their_map() -> None:
    claims = PassClaims(**GOOD)
    assert PassClaims.from_map(claims.to_map()) == claims


def test_times_are_kept_in_whole_utc_seconds() -> None:
    china = timezone(timedelta(hours=8))
    claims = PassClaims(**GOOD | {"issued_at": datetime(2026, 11, 22, 16, 0, 0, 999, tzinfo=china)})
    assert claims.issued_at == NOW
    assert claims.issued_at.tzinfo is UTC


def test_each_code_gets_its_own_id() -> None:
    fields = {name: value for name, value in GOOD.items() if name != "code_id"}
    assert len({PassClaims(**fields).code_id for _ in range(100)}) == 100


def test_a_kind_has_a_word_and_back() -> None:
    assert [PassKind.from_word(kind.word) for kind in PassKind] == list(PassKind)
    assert PassKind.VISITOR.word == "visitor"
    with pytest.raises(ValueError, match="guest"):
        PassKind.from_word("guest")


def test_a_renewed_pass_is_the_same_pass_under_another_code() -> None:
    later = NOW + timedelta(minutes=1)
    renewed = PassClaims(**GOOD).renewed(later, later + timedelta(minutes=2))
    assert renewed.pass_id == GOOD["pass_id"]
    assert renewed.code_id != GOOD["code_id"]
    assert renewed.issued_at == renewed.not_before == later
    assert renewed.scope == GOOD["scope"]


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": ""},
        {"issuer": "91110000600037341l"},
        {"issuer": "张三"},
        {"pass_id": bytes(15)},
        {"code_id": bytes(9)},
        {"kind": 0},
        {"kind": 6},
        {"issued_at": datetime(2026, 11, 22)},  # noqa: DTZ001 - a naive time is the point
        {"expires_at": NOW},
        {"expires_at": datetime(2200, 1, 1, tzinfo=UTC)},
        {"not_before": datetime(1969, 1, 1, tzinfo=UTC)},
        {"scope": ("",)},
        {"scope": ("x" * 33,)},
        {"scope": ("张三",)},
        {"scope": (-1,)},
        {"scope": (2**32,)},
        {"scope": (True,)},
        {"scope": (None,)},
        {"scope": tuple(range(33))},
        {"use_limit": -1},
        {"use_limit": 2**32},
        {"use_limit": True},
    ],
)
def test_what_the_format_cannot_carry_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each field has its own words
        PassClaims(**GOOD | change)


@pytest.mark.parametrize("claim", [1, 4, 5, 6, 7, -1, -2, -3, -4])
@pytest.mark.parametrize("wrong", [None, "x", b"x", 1.5, True, -1, 2**40, {}, "absent"])
def test_every_claim_is_needed_and_of_its_type(claim: int, wrong: object) -> None:
    claims = PassClaims(**GOOD).to_map()
    if wrong == "absent":
        del claims[claim]
    else:
        claims[claim] = wrong
    with pytest.raises(ValueError):  # noqa: PT011
        PassClaims.from_map(claims)


def test_claims_that_are_no_map_are_refused_and_unknown_ones_ignored() -> None:
    with pytest.raises(ValueError, match="no map"):
        PassClaims.from_map([1])
    claims = PassClaims(**GOOD)
    assert PassClaims.from_map(claims.to_map() | {-6: "later"}) == claims


def test_an_offline_code_is_marked_and_any_other_is_not() -> None:
    claims = PassClaims(**GOOD)
    assert -5 not in claims.to_map()
    marked = replace(claims, offline=True)
    assert marked.to_map()[-5] is True
    assert PassClaims.from_map(marked.to_map()) == marked


@pytest.mark.parametrize("mark", [False, 1, "yes", None])
def test_the_mark_of_an_offline_code_has_one_form(mark: object) -> None:
    with pytest.raises(ValueError, match="offline"):
        PassClaims.from_map(PassClaims(**GOOD).to_map() | {-5: mark})
