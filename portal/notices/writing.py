"""Pages of staff to write a notice: the form, the count of people it reaches, its attachments."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from portal.core.actors import current_actor, staff_required
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import _
from portal.core.permissions import Actor, Permission, require_somewhere
from portal.notices import audience, files, operations, queries
from portal.notices.audience import Reach
from portal.notices.blueprint import blueprint
from portal.notices.forms import FileForm, NoticeForm, audience_of
from portal.notices.models import Notice
from portal.notices.staff import notice_page
from portal.regions.directory import within
from portal.regions.models import Level, Region
from portal.services import current_services


@blueprint.route("/work/notices/new", methods=["GET", "POST"])
@staff_required
def new() -> Any:
    """Write a notice; it is saved as a draft and shown as readers will see it."""
    services, actor = current_services(), current_actor()
    now = services.clock()
    form = NoticeForm()
    with services.db.read() as session:
        region = _prepare(session, actor, form)
        if request.method == "GET":
            form.propose(region, now)
        shown = request.method == "GET" or "count" in request.form
        draft = None if shown else form.draft(region, now)
        reach = audience.reach(session, form.audience(region.id), region)
    if draft is not None:
        try:
            with services.db.write() as session:
                notice = operations.create(session, actor, draft, now)
        except DomainError as error:
            if error.status != 422:
                raise
            form.take(error)
        else:
            return redirect(url_for("notices.show", notice_id=notice.id), code=303)
    return _form_page(form, region, reach), 200 if shown else 422


@blueprint.route("/work/notices/<int:notice_id>/edit", methods=["GET", "POST"])
@staff_required
def edit(notice_id: int) -> Any:
    """Change a notice. What others saved meanwhile is not written over."""
    services, actor = current_services(), current_actor()
    now = services.clock()
    form = NoticeForm()
    seen = request.form.get("version", "")
    with services.db.read() as session:
        notice = queries.whole(session, operations.load(session, actor, notice_id))
        out = operations.is_out(notice, now)
        if operations.is_over(notice, now):
            flash(_("This notice is over; write a new one."), "warning")
            return redirect(url_for("notices.show", notice_id=notice_id), code=303)
        if request.method == "GET":
            form.fill(notice)
        region = _prepare(session, actor, form)
        region = notice.region if out else region
        shown = request.method == "GET" or "count" in request.form
        draft = None if shown else form.draft(region, now, notice if out else None)
        whom = audience.of(notice) if out else form.audience(region.id)
        reach = audience.reach(session, whom, region)
    version = int(seen) if seen.isascii() and seen.isdigit() and len(seen) < 9 else notice.version
    if draft is not None:
        try:
            with services.db.write() as session:
                operations.edit(
                    session,
                    actor,
                    notice_id,
                    draft,
                    seen=version,
                    now=now,
                    again=bool(form.again.data),
                )
        except ConflictError as error:
            form.form_errors.append(str(error.message))
            version = notice.version
        except DomainError as error:
            if error.status != 422:
                raise
            form.take(error)
        else:
            flash(_("Saved."), "success")
            return redirect(url_for("notices.show", notice_id=notice_id), code=303)
    page = _form_page(form, region, reach, notice=notice, out=out, version=version)
    return page, 200 if shown else 422


@blueprint.get("/work/notices/reach")
@staff_required
def reach() -> str:
    """A fragment: how many people the audience in the address reaches; with ``places``, what to choose too."""
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.NOTICE_PUBLISH)
    form = NoticeForm(formdata=request.args, meta={"csrf": False})
    with services.db.read() as session:
        region = _prepare(session, actor, form)
        chosen = form.places.data or []
        whom = audience_of(region.id, chosen, form.relation.data or "")
        count = audience.reach(session, whom, region)
    template = "notices/_whom.html" if "again" in request.args else "notices/_reach.html"
    return render_template(template, form=form, reach=count)


@blueprint.post("/work/notices/<int:notice_id>/files")
@staff_required
def attach(notice_id: int) -> Any:
    """Attach a picture or a PDF."""
    services, actor = current_services(), current_actor()
    form = FileForm()
    sent = request.files.get("file")
    data = sent.read(files.LARGEST + 1) if sent else b""
    try:
        content = files.look_into(data)
        with services.db.write() as session:
            files.attach(
                session,
                actor,
                files.folder_in(services.config.data_dir),
                notice_id,
                content,
                (sent.filename or "") if sent else "",
                services.clock(),
            )
    except DomainError as error:
        if error.field != "file":
            raise
        form.file.errors = [str(error.message)]
        return notice_page(notice_id, files_form=form), 422
    finally:
        if sent:
            sent.close()
    flash(_("Attached."), "success")
    return redirect(url_for("notices.show", notice_id=notice_id), code=303)


@blueprint.post("/work/notices/<int:notice_id>/files/<int:file_id>/remove")
@staff_required
def detach(notice_id: int, file_id: int) -> Any:
    """Take an attachment off."""
    services, actor = current_services(), current_actor()
    with services.db.write() as session:
        key = files.detach(session, actor, notice_id, file_id, services.clock())
    files.folder_in(services.config.data_dir).drop(key)
    flash(_("Removed."), "success")
    return redirect(url_for("notices.show", notice_id=notice_id), code=303)


def _prepare(session: Session, actor: Actor, form: NoticeForm) -> Region:
    """Offer what the actor may choose; returns the region that is chosen, or the first."""
    require_somewhere(actor, Permission.NOTICE_PUBLISH)
    regions = session.scalars(
        select(Region)
        .where(within(actor.paths(Permission.NOTICE_PUBLISH)), Region.level != Level.GRID)
        .order_by(Region.path)
    ).all()
    chosen = next((r for r in regions if str(r.id) == form.region.data), regions[0])
    form.offer(regions, audience.places_of(session, chosen))
    return chosen


def _form_page(
    form: NoticeForm,
    region: Region,
    reach: Reach,
    *,
    notice: Notice | None = None,
    out: bool = False,
    version: int = 0,
) -> str:
    return render_template(
        "notices/form.html",
        form=form,
        region=region,
        reach=reach,
        notice=notice,
        out=out,
        version=version,
    )
