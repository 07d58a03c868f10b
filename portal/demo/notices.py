"""Six notices of the demo community, in different states; each says that it is an example."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.accounts.models import User
from portal.accounts.session import actor_of
from portal.core.errors import NotFoundError
from portal.core.permissions import Actor
from portal.demo.places import Places
from portal.notices import operations, receipts
from portal.notices.audience import Audience
from portal.notices.draft import Draft
from portal.notices.models import Notice
from portal.residents.models import Relation, Resident

_DEMO: Final = "\n\n> 演示数据，并非真实通知。"


@dataclass(frozen=True, slots=True)
class _Example:
    """One notice; times in hours from now, ``read`` and ``confirmed`` are shares of those addressed."""

    title: str
    body: str
    written: int
    building: int | None = None
    relation: str = ""
    values: dict[str, Any] = field(default_factory=dict)
    starts: int | None = None
    ends: int = 24 * 30
    confirm_by: int | None = None
    read: float = 0
    confirmed: float = 0
    withdrawn: str = ""
    draft: bool = False


EXAMPLES: Final = (
    _Example(
        "【演示】1号楼明日停水检修",
        "因水泵检修，**明天 8:00–12:00** 1号楼停水：\n\n- 请提前储水\n- 停水期间请关好水龙头\n- 12:00 后水色发黄，放水两分钟即可\n\n物业电话：[199 0000 0001](tel:19900000001)",
        5,
        building=0,
        values={"priority": "urgent", "confirm": True},
        confirm_by=-1,
        read=0.6,
        confirmed=0.4,
    ),
    _Example(
        "【演示】出示通行码进出小区",
        "# 进出小区\n\n进门时请打开“我的通行码”，对准读码器。\n\n1. 登录\n2. 打开“我的通行码”\n3. 对准门口的读码器\n\n老人和孩子可请家人代为登记。",
        24 * 12,
        values={"pinned": True, "public": True},
        ends=24 * 60,
        read=0.8,
    ),
    _Example(
        "【演示】业主大会意见征集",
        "请各位业主于本月底前阅读小区公共收益公示，并确认已知晓。",
        24 * 3,
        relation=Relation.OWNER,
        values={"confirm": True, "public": True},
        confirm_by=24 * 7,
        read=0.3,
        confirmed=0.2,
    ),
    _Example(
        "【演示】周六消防演练",
        "周六 9:30 在中心广场举行消防演练，欢迎参加。届时会响起警报声，请勿惊慌。",
        2,
        starts=24 * 2,
    ),
    _Example(
        "【演示】快递柜升级",
        "北门快递柜升级，请到南门快递柜取件。",
        24 * 5,
        withdrawn="升级改期，另行通知",
        read=0.5,
    ),
    _Example("【演示】垃圾分类指南（草稿）", "待补充投放时间。", 1, draft=True),
)


def post_notices(
    session: Session,
    places: Places,
    residents: Sequence[Resident],
    rng: random.Random,
    now: datetime,
) -> int:
    """Write, publish, read, confirm and withdraw the examples, each in its time; returns how many."""
    worker = actor_of(session.scalars(select(User).where(User.username == "worker")).one())
    for example in EXAMPLES:
        _post(session, worker, places, residents, rng, example, now)
    return len(EXAMPLES)


def _post(
    session: Session,
    worker: Actor,
    places: Places,
    residents: Sequence[Resident],
    rng: random.Random,
    example: _Example,
    now: datetime,
) -> None:
    def later(hours: int | None) -> datetime | None:
        return None if hours is None else now + timedelta(hours=hours)

    buildings = (
        frozenset({places.buildings[example.building].id})
        if example.building is not None
        else frozenset[int]()
    )
    draft = Draft(
        title=example.title,
        body=example.body + _DEMO,
        audience=Audience(places.community.id, buildings, relation=example.relation),
        publish_at=later(example.starts),
        expires_at=later(example.ends),
        confirm_by=later(example.confirm_by),
        **example.values,
    )
    written = now - timedelta(hours=example.written)
    notice = operations.create(session, worker, draft, written)
    if example.draft:
        return
    operations.release(session, worker, notice.id, written)
    _read(session, notice, residents, rng, example, written + timedelta(hours=1))
    if example.withdrawn:
        operations.withdraw(
            session, worker, notice.id, example.withdrawn, written + timedelta(hours=30)
        )


def _read(
    session: Session,
    notice: Notice,
    residents: Sequence[Resident],
    rng: random.Random,
    example: _Example,
    at: datetime,
) -> None:
    """Some of those it is for read it, some of those confirm; the sign-ins' own stay unread."""
    signed_in = set(session.scalars(select(User.resident_id)))
    for resident in residents:
        share = rng.random()
        if share >= example.read or resident.id in signed_in:
            continue
        actor = Actor(label=f"resident:{resident.id}", resident_id=resident.id)
        with suppress(NotFoundError):  # it is not for this one
            receipts.read(session, actor, notice.id, at)
            if share < example.confirmed:
                receipts.confirm(session, actor, notice.id, notice.revision, at)
