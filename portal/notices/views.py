"""Notices for readers: a resident's list and pages, the attachments, the public page of a community.

Opening a notice counts as reading it. The list notes what a resident gets to see for the first time.
"""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

from flask import Response, flash, redirect, render_template, request, send_file, url_for

from portal.core import limits
from portal.core.actors import current_actor, resident_required, signed_in_required
from portal.core.content_policy import HEADER
from portal.core.errors import ConflictError
from portal.core.i18n import _
from portal.core.identifiers import check_uscc
from portal.core.paging import page_number
from portal.core.permissions import found, not_found
from portal.notices import files, queries, receipts, staff, writing
from portal.notices.blueprint import blueprint
from portal.notices.models import FileKind, NoticeFile
from portal.notices.queries import Shown
from portal.notices.text import as_html, excerpt
from portal.regions import queries as regions
from portal.regions.models import Region
from portal.services import current_services

__all__ = ["blueprint", "staff", "writing"]

PUBLIC_LIMIT: Final = "120/minute"
SANDBOX: Final = "default-src 'none'; sandbox; frame-ancestors 'none'"


@blueprint.get("/notices")
@resident_required
def mine() -> str:
    """The resident's notices: unread first; or those that are over."""
    services, actor = current_services(), current_actor()
    resident_id = actor.resident_id or 0
    now = services.clock()
    earlier = request.args.get("show") == "earlier"
    with services.db.read() as session:
        page = queries.own(
            session, resident_id, now, page_number(request.args.get("page")), earlier=earlier
        )
        unread = queries.count_unread(session, resident_id, now)
    fresh = queries.delivered_ids(page.items)
    if fresh:
        with services.db.write() as session:
            receipts.deliver(session, resident_id, fresh, now)
    return render_template(
        "notices/mine.html", page=page, unread=unread, earlier=earlier, excerpt=excerpt
    )


@blueprint.get("/notices/<int:notice_id>")
@resident_required
def one(notice_id: int) -> str:
    """One notice of the resident; opening it is reading it."""
    services, actor = current_services(), current_actor()
    now = services.clock()
    with services.db.read() as session:
        notice = queries.own_one(session, actor, notice_id, now)
        receipt = queries.receipt_of(session, actor, notice)
    state = queries.shown_state(notice, now)
    mine = queries.Mine(notice, receipt, state is not Shown.PUBLISHED)
    if mine.unread or mine.changed:
        with services.db.write() as session:
            receipts.read(session, actor, notice_id, now)
    return render_template(
        "notices/one.html",
        notice=notice,
        mine=mine,
        late=notice.confirm_by is not None and notice.confirm_by <= now,
        state=state,
        Shown=Shown,
        body=as_html(notice.body),
        pictures=[f for f in notice.files if f.kind == FileKind.IMAGE],
        documents=[f for f in notice.files if f.kind == FileKind.PDF],
    )


@blueprint.post("/notices/<int:notice_id>/confirm")
@resident_required
def confirm(notice_id: int) -> Any:
    """I have read and understood."""
    services = current_services()
    revision = request.form.get("revision", "")
    seen = int(revision) if revision.isascii() and revision.isdigit() and len(revision) < 9 else 0
    try:
        with services.db.write() as session:
            receipts.confirm(session, current_actor(), notice_id, seen, services.clock())
        flash(_("Thank you. Your confirmation has been noted."), "success")
    except ConflictError as error:
        flash(str(error.message), "warning")
    return redirect(url_for("notices.one", notice_id=notice_id), code=303)


@blueprint.get("/notices/<int:notice_id>/files/<int:file_id>")
@signed_in_required
def file(notice_id: int, file_id: int) -> Response:
    """An attachment, for readers and staff."""
    services = current_services()
    with services.db.read() as session:
        shown = files.to_show(session, current_actor(), notice_id, file_id, services.clock())
    return _hand_out(shown)


@blueprint.get("/c/<uscc>/notices/<int:notice_id>/files/<int:file_id>")
@limits.limiter.limit(PUBLIC_LIMIT)
def public_file(uscc: str, notice_id: int, file_id: int) -> Response:
    """An attachment of a public notice."""
    services = current_services()
    with services.db.read() as session:
        notice = queries.public_one(session, _community(session, uscc), notice_id, services.clock())
        shown = files.one_of(session, notice, file_id)
    return _hand_out(shown)


def _hand_out(shown: NoticeFile) -> Response:
    """Pictures to look at, documents to save; nothing in either may run."""
    data = files.folder_in(current_services().config.data_dir).get(shown.key)
    kind = FileKind(shown.kind)
    response = send_file(
        BytesIO(data),
        mimetype=files.MEDIA_TYPES[kind],
        as_attachment=kind is not FileKind.IMAGE,
        download_name=shown.name,
    )
    response.headers[HEADER] = SANDBOX
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.get("/c/<uscc>/notices")
@limits.limiter.limit(PUBLIC_LIMIT)
def public(uscc: str) -> str:
    """What a community tells everybody."""
    services = current_services()
    now = services.clock()
    with services.db.read() as session:
        community = _community(session, uscc)
        page = queries.public(session, community, now, page_number(request.args.get("page")))
    return render_template("notices/public.html", community=community, page=page, excerpt=excerpt)


@blueprint.get("/c/<uscc>/notices/<int:notice_id>")
@limits.limiter.limit(PUBLIC_LIMIT)
def public_one(uscc: str, notice_id: int) -> str:
    """One of them."""
    services = current_services()
    now = services.clock()
    with services.db.read() as session:
        community = _community(session, uscc)
        notice = queries.public_one(session, community, notice_id, now)
    return render_template(
        "notices/public_one.html",
        community=community,
        notice=notice,
        body=as_html(notice.body),
        pictures=[f for f in notice.files if f.kind == FileKind.IMAGE],
        documents=[f for f in notice.files if f.kind == FileKind.PDF],
    )


def _community(session: Any, uscc: str) -> Region:
    checked = check_uscc(uscc)
    if not (checked.valid or checked.overridable):
        raise not_found()
    return found(regions.community_by_uscc(session, checked.value))
