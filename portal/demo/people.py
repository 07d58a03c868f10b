"""A hundred and fifty invented residents.

Nobody real can be meant: identity numbers carry the area 919999 (91 stands for abroad; no such area
is issued) with a correct check digit, phone numbers are 199 0000 xxxx.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy.orm import Session

from portal.core.identifiers.resident_id import resident_id_with_check
from portal.privacy.models import ConsentText
from portal.privacy.operations import record_consent
from portal.regions.models import Dwelling, Region
from portal.residents.models import DocumentType, Relation, Residency, Resident, ResidentState
from portal.residents.operations import document_hash, phone_hash

RESIDENTS: Final = 150
PENDING: Final = 4
LARGEST_HOUSEHOLD: Final = 5
AREA: Final = "919999"
PHONE_PREFIX: Final = "1990000"
SURNAMES: Final = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗高"
_GIVEN: Final = (
    "伟 芳 娜 敏 静 强 磊 洋 艳 勇 杰 娟 涛 明 超 兰 霞 平 刚 辉 玲 桂英 秀英 建国 建华 志强 "
    "丽华 春梅 海燕 晓东 文博 子涵 欣怡 梓萱 浩然 宇轩 诗涵 佳琪 俊杰 雨桐 思远 若曦 一诺 国庆"
)
GIVEN: Final = _GIVEN.split()
_MARKS: Final = {
    Relation.OWNER: (30, 75),
    Relation.TENANT: (22, 45),
    Relation.FAMILY: (1, 85),
    Relation.EMPLOYEE: (25, 55),
}
"""Youngest and oldest age by relation."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who lives in the demo."""

    name: str
    phone: str
    document: str
    relation: Relation
    dwelling: int
    """Position in the list of dwellings."""
    pending: bool
    registered_days_ago: int


def invent(rng: random.Random, dwellings: int, today: date) -> list[Person]:
    """The residents, household by household; the last ``PENDING`` wait for a decision."""
    sizes = [1] * dwellings
    while sum(sizes) < RESIDENTS:
        place = rng.randrange(dwellings)
        if sizes[place] < LARGEST_HOUSEHOLD:
            sizes[place] += 1
    phones = rng.sample(range(10_000), RESIDENTS)
    serials = rng.sample(range(1000), RESIDENTS)
    waiting = set(rng.sample([d for d in range(dwellings) if sizes[d] > 1], PENDING))
    people: list[Person] = []
    for dwelling, size in enumerate(sizes):
        surname = rng.choice(SURNAMES)
        rented = rng.random() < 0.25
        for member in range(size):
            relation = _relation(rng, member, rented=rented)
            family = relation in (Relation.OWNER, Relation.FAMILY) or (rented and member == 0)
            name = (surname if family else rng.choice(SURNAMES)) + rng.choice(GIVEN)
            number = len(people)
            people.append(
                Person(
                    name=name,
                    phone=f"{PHONE_PREFIX}{phones[number]:04}",
                    document=_document(rng, relation, serials[number], today),
                    relation=relation,
                    dwelling=dwelling,
                    pending=dwelling in waiting and member == size - 1,
                    registered_days_ago=rng.randint(30, 500),
                )
            )
    return people


def _relation(rng: random.Random, member: int, *, rented: bool) -> Relation:
    if member == 0:
        return Relation.TENANT if rented else Relation.OWNER
    if rng.random() < 0.04:
        return Relation.EMPLOYEE
    return Relation.TENANT if rented and rng.random() < 0.5 else Relation.FAMILY


def _document(rng: random.Random, relation: Relation, serial: int, today: date) -> str:
    youngest, oldest = _MARKS[relation]
    born = today - timedelta(days=rng.randint(youngest * 366, oldest * 365))
    return resident_id_with_check(f"{AREA}{born:%Y%m%d}{serial:03}")


def settle(
    session: Session,
    people: list[Person],
    community: Region,
    dwellings: list[Dwelling],
    text: ConsentText,
    now: datetime,
) -> list[Resident]:
    """Write the residents with consent and residency, in the order given."""
    rows: list[Resident] = []
    for person in people:
        registered = (
            now - timedelta(hours=1 + len(rows) % 7)
            if person.pending
            else now - timedelta(days=person.registered_days_ago)
        )
        rows.append(
            Resident(
                community_id=community.id,
                state=ResidentState.PENDING if person.pending else ResidentState.APPROVED,
                name=person.name,
                phone=person.phone,
                phone_hash=phone_hash(person.phone),
                document_type=DocumentType.RESIDENT_ID,
                document_number=person.document,
                document_hash=document_hash(DocumentType.RESIDENT_ID, person.document),
                registered_at=registered,
                decided_at=None if person.pending else registered + timedelta(hours=2),
            )
        )
    session.add_all(rows)
    session.flush()
    for person, resident in zip(people, rows, strict=True):
        session.add(
            Residency(
                resident_id=resident.id,
                dwelling_id=dwellings[person.dwelling].id,
                relation=person.relation,
                since=resident.registered_at.date(),
            )
        )
        record_consent(
            session,
            resident_id=resident.id,
            text_id=text.id,
            channel="web",
            given_at=resident.registered_at,
        )
    session.flush()
    return rows
