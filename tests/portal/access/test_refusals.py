"""Which refusals are worth a look, and what belongs to one case."""

from __future__ import annotations

from datetime import timedelta

import pytest

from portal.access.decision import Reason
from portal.access.refusals import (
    ALWAYS,
    NEVER,
    REPEAT_WITHIN,
    REPEATED,
    Refusal,
    group,
    worth_a_look,
)
from tests.portal.world import START

PASS = "ab" * 16


def refusal(
    number: int,
    reason: str = "expired",
    minutes: float = 0,
    pass_id: str | None = PASS,
    gate: int = 1,
) -> Refusal:
    return Refusal(number, 1, gate, pass_id, reason, START + timedelta(minutes=minutes))


@pytest.mark.parametrize("reason", [r for r in Reason if r is not Reason.OK])
def test_one_refusal(reason: Reason) -> None:
    expected = reason in {
        Reason.BAD_SIGNATURE,
        Reason.UNKNOWN_KEY,
        Reason.UNKNOWN_PASS,
        Reason.REVOKED,
        Reason.TURNED_AWAY,
    }
    assert worth_a_look([refusal(1, reason)]) is expected


@pytest.mark.parametrize("reason", [r for r in Reason if r is not Reason.OK])
def test_the_same_pass_refused_again_and_again(reason: Reason) -> None:
    several = [refusal(n, reason, n) for n in range(REPEATED)]
    assert worth_a_look(several) is (reason not in NEVER)
    assert worth_a_look(several[1:]) is (reason in ALWAYS)


def test_repetitions_far_apart_are_none() -> None:
    apart = REPEAT_WITHIN / timedelta(minutes=1) / (REPEATED - 1)
    assert worth_a_look([refusal(n, "expired", n * apart) for n in range(REPEATED)])
    assert not worth_a_look([refusal(n, "expired", n * (apart + 1)) for n in range(REPEATED)])


def test_codes_that_name_no_pass_do_not_add_up() -> None:
    assert not worth_a_look([refusal(n, "not_a_pass", pass_id=None) for n in range(9)])


def test_what_belongs_together_is_one_case_known_by_its_first() -> None:
    found = group(
        [
            refusal(7, "revoked", 7),
            refusal(3, "revoked", 3),
            refusal(4, "expired", 4),
            refusal(5, "bad_signature", 5, None),
            refusal(6, "bad_signature", 6, None),
            refusal(8, "bad_signature", 8, None, gate=2),
            refusal(9, "expired", 9, "cd" * 16),
        ],
        {},
    )
    assert [[r.id for r in case.refusals] for case in found] == [[3, 4, 7], [5, 6], [8]]
    assert [case.id for case in found] == [3, 5, 8]
    assert [case.reason for case in found] == ["revoked", "bad_signature", "bad_signature"]


def test_what_comes_after_a_review_is_a_new_case() -> None:
    refusals = [refusal(n, "revoked", n) for n in (1, 2, 3)]
    key = refusals[0].key
    assert group(refusals, {key: 3}) == []
    (case,) = group(refusals, {key: 2})
    assert case.id == 3
