"""The decision as a truth table, and what must hold for any facts."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from portal.access.decision import NO_GATE, RULES, Facts, GateFacts, PassFacts, Reason, decide
from portal.access.models import Outcome
from portal.access.reasons import SENTENCES
from portal.passes.verdict import Reason as CodeReason

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
GATE = GateFacts(id=7, community_id=1, building_id=None, enabled=True)
BUILDING_GATE = replace(GATE, id=8, building_id=3)
HELD = PassFacts(
    id="ab" * 16,
    community_id=1,
    kind="resident",
    building_id=3,
    scope=(),
    not_before=NOW - HOUR,
    not_after=NOW + HOUR,
    max_uses=0,
    uses=0,
    revoked=False,
)
GOOD = Facts(now=NOW, scanned_at=NOW, gate=GATE, code=CodeReason.OK, entry_pass=HELD)


def of_pass(**changes: object) -> Facts:
    return replace(GOOD, entry_pass=replace(HELD, **changes))


TABLE = [
    (GOOD, Reason.OK),
    (replace(GOOD, gate=BUILDING_GATE), Reason.OK),
    (replace(GOOD, scanned_at=NOW - RULES.stale_after), Reason.OK),
    (replace(GOOD, scanned_at=NOW + HOUR), Reason.OK),
    (replace(GOOD, scanned_at=NOW - RULES.stale_after - HOUR), Reason.STALE_SCAN),
    (replace(GOOD, gate=replace(GATE, enabled=False)), Reason.GATE_DISABLED),
    (replace(GOOD, entry_pass=None), Reason.UNKNOWN_PASS),
    (of_pass(community_id=2), Reason.WRONG_COMMUNITY),
    (of_pass(revoked=True), Reason.REVOKED),
    (of_pass(not_before=NOW + HOUR), Reason.NOT_YET_VALID),
    (of_pass(not_before=NOW + RULES.skew), Reason.OK),
    (of_pass(not_after=NOW), Reason.EXPIRED),
    (of_pass(not_after=NOW + timedelta(seconds=1)), Reason.OK),
    (of_pass(scope=(9,)), Reason.OUT_OF_SCOPE),
    (of_pass(scope=(7, 9)), Reason.OK),
    (replace(of_pass(building_id=4), gate=BUILDING_GATE), Reason.WRONG_BUILDING),
    (replace(of_pass(building_id=None), gate=BUILDING_GATE), Reason.WRONG_BUILDING),
    (replace(of_pass(building_id=4, scope=(8,)), gate=BUILDING_GATE), Reason.OK),
    (of_pass(max_uses=1, uses=0), Reason.OK),
    (of_pass(max_uses=1, uses=1), Reason.USED_UP),
    (replace(GOOD, replayed=True), Reason.REPLAYED),
    (replace(GOOD, turned_away=True), Reason.TURNED_AWAY),
    (replace(GOOD, turned_away=True, replayed=True), Reason.REPLAYED),
    (replace(of_pass(scope=(9,)), gate=replace(GATE, id=NO_GATE)), Reason.OK),
    (replace(of_pass(revoked=True), gate=replace(GATE, id=NO_GATE)), Reason.REVOKED),
    *[(replace(GOOD, code=code), Reason(code.value)) for code in CodeReason],
]


@pytest.mark.parametrize(("facts", "reason"), TABLE)
def test_each_case_has_its_reason(facts: Facts, reason: Reason) -> None:
    decision = decide(facts)
    assert decision.reason is reason
    assert (decision.outcome is Outcome.ALLOW) == (reason is Reason.OK)


def test_the_table_holds_every_reason() -> None:
    assert {reason for _, reason in TABLE} == set(Reason)


def test_a_pass_that_fails_in_several_ways_gets_the_first_reason() -> None:
    worst = replace(
        of_pass(revoked=True, max_uses=1, uses=1, scope=(9,)),
        replayed=True,
        gate=replace(GATE, enabled=False),
    )
    assert decide(worst).reason is Reason.GATE_DISABLED
    assert decide(replace(worst, gate=GATE)).reason is Reason.REVOKED


def test_every_reason_has_a_sentence_and_fits_the_contract() -> None:
    assert set(SENTENCES) == set(Reason)
    app = Flask(__name__)
    from portal.core.i18n import Babel

    Babel(app, default_locale="en")
    with app.app_context():
        assert len({str(SENTENCES[reason]) for reason in Reason}) == len(Reason)
    assert all(len(r) <= 32 and r.replace("_", "").isalpha() and r.islower() for r in Reason)


moments = st.datetimes(datetime(2026, 3, 1), datetime(2026, 3, 4), timezones=st.just(UTC))  # noqa: DTZ001
gates = st.builds(
    GateFacts,
    id=st.integers(1, 4),
    community_id=st.integers(1, 2),
    building_id=st.none() | st.integers(1, 3),
    enabled=st.booleans(),
)
held = st.builds(
    PassFacts,
    id=st.just("ab" * 16),
    community_id=st.integers(1, 2),
    kind=st.sampled_from(["resident", "visitor", "card"]),
    building_id=st.none() | st.integers(1, 3),
    scope=st.lists(st.integers(1, 4), max_size=3).map(tuple),
    not_before=moments,
    not_after=moments,
    max_uses=st.integers(0, 3),
    uses=st.integers(0, 4),
    revoked=st.booleans(),
)
facts_of_any_kind = st.builds(
    Facts,
    now=moments,
    scanned_at=moments,
    gate=gates,
    code=st.sampled_from(CodeReason),
    entry_pass=st.none() | held,
    replayed=st.booleans(),
    turned_away=st.booleans(),
)
likely_facts = st.builds(
    lambda now, gate, entry_pass: Facts(now, now, gate, CodeReason.OK, entry_pass),
    now=st.just(NOW),
    gate=gates,
    entry_pass=st.builds(
        replace,
        held,
        not_before=st.just(NOW - HOUR),
        not_after=st.just(NOW + HOUR),
        revoked=st.just(value=False),
    ),
)


@given(facts_of_any_kind | likely_facts)
def test_a_door_opens_only_when_nothing_speaks_against_it(facts: Facts) -> None:
    decision = decide(facts)
    entry = facts.entry_pass
    opens = (
        facts.code is CodeReason.OK
        and facts.gate.enabled
        and facts.now - facts.scanned_at <= RULES.stale_after
        and entry is not None
        and not entry.revoked
        and not facts.replayed
        and not facts.turned_away
        and entry.community_id == facts.gate.community_id
        and entry.not_before - RULES.skew <= facts.now < entry.not_after
        and (entry.max_uses == 0 or entry.uses < entry.max_uses)
        and (
            facts.gate.id in entry.scope
            or (not entry.scope and facts.gate.building_id in (None, entry.building_id))
        )
    )
    assert (decision.outcome is Outcome.ALLOW) == opens
    assert (decision.reason is Reason.OK) == opens


@given(likely_facts, st.integers(0, 5))
def test_more_uses_never_open_a_door(facts: Facts, more: int) -> None:
    assert facts.entry_pass is not None
    later = replace(facts, entry_pass=replace(facts.entry_pass, uses=facts.entry_pass.uses + more))
    if decide(facts).outcome is Outcome.REFUSE:
        assert decide(later).outcome is Outcome.REFUSE
