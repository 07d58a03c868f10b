"""API: notices by state, one with its counts, publishing and withdrawing one."""

from __future__ import annotations

from typing import Any

import marshmallow as ma
from flask_smorest import Blueprint
from sqlalchemy import select

from portal.core.api import allowed, machine
from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Permission
from portal.notices import operations, queries, readers
from portal.notices.audience import Audience
from portal.notices.draft import BODY_LENGTH, REASON_LENGTH, TITLE_LENGTH, Draft
from portal.notices.models import Notice, Priority
from portal.notices.queries import Shown
from portal.notices.text import many_lines, one_line
from portal.regions.models import Region
from portal.residents.models import Relation
from portal.services import current_services

blueprint = Blueprint(
    "api_notices", __name__, url_prefix="/api/v1/notices", description="Notices and who has them"
)
BLUEPRINTS = (blueprint,)


class NoticesQuery(ma.Schema):
    """A page of the notices in one state, newest first; 25 a page."""

    state = ma.fields.Enum(Shown, by_value=True, load_default=Shown.PUBLISHED)
    page = ma.fields.Integer(load_default=1, validate=ma.validate.Range(min=1, max=100_000))


class NoticeSchema(ma.Schema):
    """A notice. ``reached`` and ``households`` are those of its publication."""

    id = ma.fields.Integer(required=True)
    region = ma.fields.String(required=True, metadata={"description": "Code of the region"})
    title = ma.fields.String(required=True)
    body = ma.fields.String(required=True, metadata={"description": "Markdown"})
    priority = ma.fields.Enum(Priority, by_value=True, required=True)
    confirm = ma.fields.Boolean(required=True)
    public = ma.fields.Boolean(required=True)
    pinned = ma.fields.Boolean(required=True)
    state = ma.fields.Enum(Shown, by_value=True, required=True)
    publish_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    expires_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    changed_at = ma.fields.AwareDateTime(required=True, allow_none=True)
    reached = ma.fields.Integer(required=True)
    households = ma.fields.Integer(required=True)
    read = ma.fields.Integer(required=True)
    confirmed = ma.fields.Integer(required=True)


class NewNoticeSchema(ma.Schema):
    """A notice to publish, at once or at ``publish_at``. No buildings and no units: the whole region."""

    region = ma.fields.String(required=True, metadata={"description": "Code or key of the region"})
    buildings = ma.fields.List(ma.fields.Integer(), load_default=list)
    units = ma.fields.List(ma.fields.Integer(), load_default=list)
    relation = ma.fields.Enum(Relation, by_value=True, load_default=None, allow_none=True)
    title = ma.fields.String(required=True, validate=ma.validate.Length(1, TITLE_LENGTH))
    body = ma.fields.String(required=True, validate=ma.validate.Length(1, BODY_LENGTH))
    priority = ma.fields.Enum(Priority, by_value=True, load_default=Priority.NORMAL)
    confirm = ma.fields.Boolean(load_default=False)
    confirm_by = ma.fields.AwareDateTime(load_default=None, allow_none=True)
    publish_at = ma.fields.AwareDateTime(load_default=None, allow_none=True)
    expires_at = ma.fields.AwareDateTime(load_default=None, allow_none=True)
    pinned = ma.fields.Boolean(load_default=False)
    public = ma.fields.Boolean(load_default=False)


class ReasonSchema(ma.Schema):
    """Why a notice is withdrawn; readers see it."""

    reason = ma.fields.String(required=True, validate=ma.validate.Length(1, REASON_LENGTH))


def _row(notice: Notice, totals: dict[int, tuple[int, int]]) -> dict[str, Any]:
    read, confirmed = totals[notice.id]
    names = (
        "id", "title", "body", "priority", "confirm", "public", "pinned", "publish_at",
        "expires_at", "changed_at", "reached", "households",
    )  # fmt: skip
    return {
        **{name: getattr(notice, name) for name in names},
        "priority": Priority(notice.priority),
        "region": notice.region.code,
        "state": queries.shown_state(notice, current_services().clock()),
        "read": read,
        "confirmed": confirmed,
    }


@blueprint.get("")
@allowed(blueprint, Permission.NOTICE_PUBLISH)
@blueprint.arguments(NoticesQuery, location="query")
@blueprint.response(200, NoticeSchema(many=True))
def list_notices(query: dict[str, Any]) -> list[dict[str, Any]]:
    """Notices in a state, of the regions that the token reaches."""
    services = current_services()
    with services.db.read() as session:
        page = queries.for_staff(
            session, machine(), query["state"], services.clock(), query["page"]
        )
        totals = readers.totals(session, page.items)
        return [_row(notice, totals) for notice in page.items]


@blueprint.get("/<int:notice_id>")
@allowed(blueprint, Permission.NOTICE_PUBLISH)
@blueprint.response(200, NoticeSchema)
def one_notice(notice_id: int) -> dict[str, Any]:
    """One notice and how far it has come."""
    with current_services().db.read() as session:
        notice = operations.load(session, machine(), notice_id)
        return _row(notice, readers.totals(session, [notice]))


@blueprint.post("")
@allowed(blueprint, Permission.NOTICE_PUBLISH)
@blueprint.arguments(NewNoticeSchema)
@blueprint.response(201, NoticeSchema)
def publish(body: dict[str, Any]) -> dict[str, Any]:
    """Publish a notice, at once or at its time."""
    services = current_services()
    now = services.clock()
    with services.db.write() as session:
        region = session.scalar(
            select(Region).where((Region.code == body["region"]) | (Region.key == body["region"]))
        )
        if region is None:
            raise DomainError("region_unknown", lazy("Choose where from the list."), field="region")
        audience = Audience(
            region.id,
            frozenset(body["buildings"]),
            frozenset(body["units"]),
            body["relation"].value if body["relation"] else "",
        )
        plain = ("confirm", "confirm_by", "publish_at", "expires_at", "pinned", "public")
        draft = Draft(
            title=one_line(body["title"]),
            body=many_lines(body["body"]),
            audience=audience,
            priority=body["priority"].value,
            **{name: body[name] for name in plain},
        )
        made = operations.create(session, machine(), draft, now)
        notice = operations.release(session, machine(), made.id, now)
        return _row(notice, readers.totals(session, [notice]))


@blueprint.post("/<int:notice_id>/withdrawal")
@allowed(blueprint, Permission.NOTICE_PUBLISH)
@blueprint.arguments(ReasonSchema)
@blueprint.response(200, NoticeSchema)
def withdraw(body: dict[str, Any], notice_id: int) -> dict[str, Any]:
    """Take a published notice back."""
    services = current_services()
    with services.db.write() as session:
        notice = operations.withdraw(
            session, machine(), notice_id, body["reason"], services.clock()
        )
        return _row(notice, readers.totals(session, [notice]))
