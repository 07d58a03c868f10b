"""Whom to tell next: the contacts one by one, then duty staff, supervisors, everybody, and again.

::

    NONE ─► contact 1 ─► contact 2 … ─► DUTY ─► SUPERVISOR ─► ALL ─► ALL …

A rung with nobody on it is left out; ALL is the last one and comes again until somebody answers, even
where nobody is there to be told: the alarm stays in front of whoever opens the desk. Pure values.
"""

from __future__ import annotations

from dataclasses import dataclass

from portal.telecare.alarm_models import Stage


@dataclass(frozen=True, slots=True)
class Reach:
    """Who can be told at this moment. People are person keys, contacts as (position, key) in order."""

    contacts: tuple[tuple[int, str], ...] = ()
    duty: tuple[str, ...] = ()
    supervisors: tuple[str, ...] = ()
    everybody: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rung:
    """Where the ladder has come to, and who is told there; ``position`` is a contact's, else 0."""

    stage: Stage
    position: int
    people: tuple[str, ...]


def following(stage: Stage, position: int, reach: Reach) -> Rung:
    """The rung above this one."""
    if stage in (Stage.NONE, Stage.CONTACT):
        for place, person in sorted(reach.contacts):
            if stage is Stage.NONE or place > position:
                return Rung(Stage.CONTACT, place, (person,))
    if stage in (Stage.NONE, Stage.CONTACT) and reach.duty:
        return Rung(Stage.DUTY, 0, _once(reach.duty))
    if stage in (Stage.NONE, Stage.CONTACT, Stage.DUTY) and reach.supervisors:
        return Rung(Stage.SUPERVISOR, 0, _once(reach.supervisors))
    return Rung(Stage.ALL, 0, _once(reach.everybody))


def _once(people: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(people))
