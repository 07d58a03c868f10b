"""Telecare in the demo: six old residents with a button, people to be called, duty, and what has happened.

The first contact of every button is one of the residents whose sign-in is printed, so that an alarm can be
seen from both sides.
"""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from mqtt.contract.telemetry import DeviceKind
from portal.accounts.models import User
from portal.core.outbox import new_transaction
from portal.demo.people import Person
from portal.demo.places import FLOORS, UNITS, Places
from portal.devices.models import Device
from portal.residents.models import Relation, Resident
from portal.telecare.alarm_models import Alarm, AlarmEntry, AlarmState, Cause, Stage, Step
from portal.telecare.models import Consent, Contact, Hearing, Language, Shift, Tie, Wearer

SINCE_DAYS: Final = 120
DUTY_DAYS: Final = 30
DWELLINGS_A_BUILDING: Final = UNITS * FLOORS * 2
_NOTES: Final = (
    ("高血压，每天早晚服药。青霉素过敏。", "备用钥匙在门岗；门铃在左侧。"),
    ("两年前髋关节置换，起身困难。", "女儿有钥匙，周末在家。"),
    ("糖尿病，床头有葡萄糖。", "密码锁，密码在值班室信封 2。"),
    ("轻度帕金森，说话较慢。", "邻居有钥匙。"),
    ("心律不齐，戴起搏器。", "家中有小狗，不咬人。"),
    ("视力差，夜间怕摔。", "备用钥匙在门岗。"),
)
_OUTSIDE: Final = ("陈晓慧", "李建平", "王雨晴", "张海峰", "刘佳", "赵明远")
_ANSWER_SECONDS: Final = (8, 12, 15, 18, 19, 22, 24, 27, 31, 33, 38, 44, 52, 71)
_CAUSES: Final = (Cause.MISTAKE, Cause.HELP, Cause.FALL, Cause.MISTAKE, Cause.ILLNESS, Cause.HELP)


def give_buttons(
    session: Session,
    rng: random.Random,
    people: list[Person],
    residents: list[Resident],
    places: Places,
    now: datetime,
) -> None:
    """Give the six buttons to the oldest resident of a dwelling each, with contacts, duty and history."""
    buttons = session.scalars(
        select(Device).where(Device.kind == DeviceKind.ALARM_BUTTON).order_by(Device.id)
    ).all()
    owner, tenant = (
        _first(people, residents, relation) for relation in (Relation.OWNER, Relation.TENANT)
    )
    taken = {owner.id, tenant.id}
    for number, button in enumerate(buttons):
        resident = _oldest(people, residents, number // 2, taken)
        taken.add(resident.id)
        notes, entry = _NOTES[number % len(_NOTES)]
        wearer = Wearer(
            community_id=places.community.id,
            resident_id=resident.id,
            device_id=button.id,
            hearing=(Hearing.GOOD, Hearing.HARD, Hearing.GOOD)[number % 3],
            language=(Language.MANDARIN, Language.DIALECT)[number % 2],
            health_notes=notes,
            entry_note=entry,
            created_at=now - timedelta(days=SINCE_DAYS),
            proven_at=now - timedelta(days=8 if number == len(buttons) - 1 else 1 + number),
        )
        session.add(wearer)
        session.flush()
        _contacts(session, wearer, (owner, tenant)[number % 2], _OUTSIDE[number], number, now)
    _duty(session, places, now)
    _history(session, rng, list(session.scalars(select(Wearer).order_by(Wearer.id))), now)
    session.flush()


def _first(people: list[Person], residents: list[Resident], relation: Relation) -> Resident:
    """Whose sign-in is printed: the first approved one, as :mod:`portal.demo.sign_ins` takes them."""
    return next(
        resident
        for person, resident in zip(people, residents, strict=True)
        if not person.pending and person.relation == relation
    )


def _oldest(
    people: list[Person], residents: list[Resident], building: int, taken: set[int]
) -> Resident:
    """The oldest approved resident of a building who is free; identity numbers carry the birthday."""
    here = [
        (person.document[6:14], resident.id, resident)
        for person, resident in zip(people, residents, strict=True)
        if person.dwelling // DWELLINGS_A_BUILDING == building
        and not person.pending
        and resident.id not in taken
    ]
    return min(here)[2]


def _contacts(
    session: Session, wearer: Wearer, first: Resident, outside: str, number: int, now: datetime
) -> None:
    agreed = now - timedelta(days=SINCE_DAYS)
    session.add_all(
        [
            Contact(
                wearer_id=wearer.id,
                position=1,
                resident_id=first.id,
                name="",
                phone="",
                tie=Tie.NEIGHBOUR,
                consent_how=Consent.SPOKEN,
                consent_at=agreed,
                created_at=agreed,
            ),
            Contact(
                wearer_id=wearer.id,
                position=2,
                name=outside,
                phone=f"1990001{number:04}",
                tie=Tie.CHILD,
                from_minute=7 * 60,
                until_minute=22 * 60,
                consent_how=Consent.WRITTEN if number % 2 else Consent.PHONE,
                consent_at=agreed,
                created_at=agreed,
            ),
        ]
    )


def _duty(session: Session, places: Places, now: datetime) -> None:
    """The worker by day, the gatekeeper by night, for a month."""
    users = {
        user.username: user.id
        for user in session.scalars(select(User).where(User.username.in_(["worker", "gatekeeper"])))
    }
    zone = ZoneInfo(places.community.timezone)
    today = now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    for day in range(-1, DUTY_DAYS):
        for name, hour in (("worker", 8), ("gatekeeper", 20)):
            start = today + timedelta(days=day, hours=hour)
            session.add(
                Shift(
                    community_id=places.community.id,
                    user_id=users[name],
                    starts_at=start,
                    ends_at=start + timedelta(hours=12),
                )
            )


def _history(session: Session, rng: random.Random, wearers: list[Wearer], now: datetime) -> None:
    """Three months: some alarms, most answered soon; some taken back; a weekly test of each button."""
    worker = session.scalars(select(User.id).where(User.username == "worker")).one()
    for number, seconds in enumerate(_ANSWER_SECONDS):
        wearer = wearers[number % len(wearers)]
        pressed = now - timedelta(days=3 + number * 6, minutes=rng.randrange(600))
        _past_alarm(
            session, wearer, pressed, seconds, _CAUSES[number % len(_CAUSES)], f"user:{worker}"
        )
    for number in range(5):
        pressed = now - timedelta(days=5 + number * 17, minutes=rng.randrange(600))
        wearer = wearers[(number * 2) % len(wearers)]
        _single(session, wearer, pressed, AlarmState.CANCELLED, Step.CANCELLED)
    for wearer in wearers:
        for week in range(1, 9):
            tested = now - timedelta(days=7 * week + 1, minutes=rng.randrange(300))
            _single(session, wearer, tested, AlarmState.TESTED, Step.TESTED)


def _past_alarm(
    session: Session, wearer: Wearer, pressed: datetime, seconds: int, cause: Cause, by: str
) -> None:
    raised = pressed + timedelta(seconds=15)
    answered = raised + timedelta(seconds=seconds)
    arrived = answered + timedelta(minutes=4)
    closed = arrived + timedelta(minutes=11)
    alarm = _alarm(
        wearer,
        pressed,
        AlarmState.CLOSED,
        step=2 if seconds > 60 else 1,
        stage=Stage.CONTACT,
        position=1,
        raised_at=raised,
        answered_at=answered,
        acknowledged_at=answered,
        acknowledged_by=by,
        arrived_at=arrived,
        closed_at=closed,
        closed_by=by,
        cause=cause,
    )
    session.add(alarm)
    session.flush()
    for kind, at, who in (
        (Step.PRESSED, pressed, ""),
        (Step.RAISED, raised, ""),
        (Step.ACKNOWLEDGED, answered, by),
        (Step.ARRIVED, arrived, by),
        (Step.CLOSED, closed, by),
    ):
        stage = Stage.CONTACT if kind is not Step.PRESSED else Stage.NONE
        session.add(AlarmEntry(alarm_id=alarm.id, kind=kind, at=at, step=1, stage=stage, by=who))


def _single(session: Session, wearer: Wearer, at: datetime, state: AlarmState, step: Step) -> None:
    cause = Cause.TEST if state is AlarmState.TESTED else ""
    alarm = _alarm(wearer, at, state, closed_at=at + timedelta(seconds=6), cause=cause)
    session.add(alarm)
    session.flush()
    if state is AlarmState.CANCELLED:
        session.add(AlarmEntry(alarm_id=alarm.id, kind=Step.PRESSED, at=at))
    session.add(AlarmEntry(alarm_id=alarm.id, kind=step, at=at + timedelta(seconds=6)))


def _alarm(wearer: Wearer, at: datetime, state: AlarmState, **values: object) -> Alarm:
    return Alarm(
        community_id=wearer.community_id,
        device_id=wearer.device_id,
        wearer_id=wearer.id,
        state=state,
        event_id=new_transaction(),
        presses=1,
        pressed_at=at,
        received_at=at,
        last_pressed_at=at,
        note="",
        **values,
    )
