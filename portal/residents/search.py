"""Finding residents by whole phone number, whole document number or whole name; nothing less finds anybody."""

from __future__ import annotations

from typing import Any

from flask import url_for
from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from portal.core.i18n import lazy
from portal.core.identifiers import mask_name, mask_phone
from portal.core.permissions import Actor, Permission
from portal.core.protected import find_hash
from portal.core.search import MOST, Hit, Query
from portal.regions.directory import within
from portal.regions.models import Dwelling, Region, Unit
from portal.residents.models import DocumentType, Residency, Resident
from portal.residents.operations import document_hash, phone_hash


def find(session: Session, actor: Actor, query: Query) -> list[Hit]:
    """Residents whose number or name this is, masked, in the actor's regions."""
    paths = actor.paths(Permission.RESIDENT_LIST)
    statement = matching(query)
    if statement is None or not paths:
        return []
    rows = session.scalars(statement.where(within(paths)).limit(MOST)).unique().all()
    return [_hit(row) for row in rows]


def matching(query: Query) -> Select[Any] | None:
    """Residents by the hashes of what was typed, each by an index of its own; ``None`` if nothing is whole."""
    rules: list[Any] = []
    if query.phone:
        rules.append(Resident.phone_hash == phone_hash(query.phone))
    if query.document:
        hashes = [document_hash(kind, query.document) for kind in DocumentType]
        rules.append(Resident.document_hash.in_(hashes))
    if query.name:
        rules.append(Resident.name_hash == find_hash(query.name, "name"))
    if not rules:
        return None
    return (
        select(Resident)
        .join(Region, Region.id == Resident.community_id)
        .options(
            joinedload(Resident.community),
            selectinload(Resident.residencies)
            .joinedload(Residency.dwelling)
            .joinedload(Dwelling.unit)
            .joinedload(Unit.building),
        )
        .where(or_(*rules))
    )


def _hit(resident: Resident) -> Hit:
    home = resident.residency
    where = home.dwelling.label if home else resident.community.name
    return Hit(
        kind=lazy("Residents"),
        title=mask_name(resident.name),
        about=f"{where} · {mask_phone(resident.phone)}",
        href=url_for("residents.detail", resident_id=resident.id),
        icon="people",
        exact=True,
    )
