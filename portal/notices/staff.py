"""Pages of staff about notices: the list, one with its readers, publishing, withdrawing, reminding, visiting."""

from __future__ import annotations

from typing import Any

from flask import flash, redirect, render_template, request, url_for

from portal.core.actors import current_actor, staff_required
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import _
from portal.core.identifiers.masking import mask_name
from portal.core.paging import page_number
from portal.core.permissions import Permission, require_somewhere
from portal.notices import audience, chasing, files, operations, queries, readers
from portal.notices.blueprint import blueprint
from portal.notices.forms import FileForm, ReasonForm, blame
from portal.notices.models import FileKind
from portal.notices.queries import Shown
from portal.notices.readers import MOST_VISITS, PAGE, Progress
from portal.notices.text import as_html
from portal.services import current_services


@blueprint.get("/work/notices")
@staff_required
def index() -> str:
    """Notices by state."""
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.NOTICE_PUBLISH)
    now = services.clock()
    asked = request.args.get("state", "")
    state = Shown(asked) if asked in set(Shown) else Shown.PUBLISHED
    with services.db.read() as session:
        page = queries.for_staff(session, actor, state, now, page_number(request.args.get("page")))
        counts = queries.count_by_state(session, actor, now)
        totals = readers.totals(session, page.items)
    return render_template(
        "notices/index.html", page=page, counts=counts, state=state, totals=totals, Shown=Shown
    )


@blueprint.get("/work/notices/<int:notice_id>")
@staff_required
def show(notice_id: int) -> str:
    """One notice as readers see it, and how far it has come."""
    return notice_page(notice_id)


def notice_page(
    notice_id: int, *, files_form: FileForm | None = None, reason_form: ReasonForm | None = None
) -> str:
    """The page of one notice, with the sentences of a form that was refused."""
    services, actor = current_services(), current_actor()
    now = services.clock()
    with services.db.read() as session:
        notice = operations.load(session, actor, notice_id)
        whole = queries.whole(session, notice)
        revisions = queries.revisions(session, notice)
        state = queries.shown_state(notice, now)
        counts = readers.counts(session, whole)
        progress = (
            readers.households_by_progress(session, whole)
            if state not in (Shown.DRAFT, Shown.SCHEDULED)
            else None
        )
    return render_template(
        "notices/show.html",
        notice=whole,
        state=state,
        Shown=Shown,
        Progress=Progress,
        counts=counts,
        progress=progress,
        revisions=revisions,
        body=as_html(notice.body),
        pictures=[f for f in whole.files if f.kind == FileKind.IMAGE],
        documents=[f for f in whole.files if f.kind == FileKind.PDF],
        most_files=files.MOST_FILES,
        files_form=files_form or FileForm(formdata=None),
        reason_form=reason_form or ReasonForm(formdata=None),
        reminded_today=notice.reminded_at is not None
        and notice.reminded_at >= chasing.today(notice.region, now),
    )


@blueprint.post("/work/notices/<int:notice_id>/release")
@staff_required
def release(notice_id: int) -> Any:
    """Publish a draft."""
    services = current_services()
    now = services.clock()
    try:
        with services.db.write() as session:
            notice = operations.release(session, current_actor(), notice_id, now)
        if operations.is_out(notice, now):
            flash(_("Published."), "success")
        else:
            flash(_("Scheduled. It appears by itself at its time."), "success")
    except ConflictError as error:
        flash(str(error.message), "warning")
    return _to(notice_id)


@blueprint.post("/work/notices/<int:notice_id>/withdraw")
@staff_required
def withdraw(notice_id: int) -> Any:
    """Take it back."""
    services, form = current_services(), ReasonForm()
    try:
        with services.db.write() as session:
            operations.withdraw(
                session, current_actor(), notice_id, form.reason.data or "", services.clock()
            )
        flash(_("Withdrawn. Readers see that it was, and why."), "success")
    except ConflictError as error:
        flash(str(error.message), "warning")
    except DomainError as error:
        if error.field != "reason":
            raise
        blame(form.reason, error.message)
        return notice_page(notice_id, reason_form=form), 422
    return _to(notice_id)


@blueprint.post("/work/notices/<int:notice_id>/discard")
@staff_required
def discard(notice_id: int) -> Any:
    """Throw a draft away."""
    services = current_services()
    try:
        with services.db.write() as session:
            keys = operations.discard(session, current_actor(), notice_id)
    except ConflictError as error:
        flash(str(error.message), "warning")
        return _to(notice_id)
    folder = files.folder_in(services.config.data_dir)
    for key in keys:
        folder.drop(key)
    flash(_("The draft has been thrown away."), "success")
    return redirect(url_for("notices.index", state=Shown.DRAFT.value), code=303)


@blueprint.post("/work/notices/<int:notice_id>/remind")
@staff_required
def remind(notice_id: int) -> Any:
    """Remind whom it has not reached."""
    services = current_services()
    try:
        with services.db.write() as session:
            chasing.remind(session, current_actor(), notice_id, services.clock())
        flash(_("Reminded: it stands on top of their list and on their home page."), "success")
    except ConflictError as error:
        flash(str(error.message), "warning")
    return _to(notice_id)


@blueprint.get("/work/notices/<int:notice_id>/readers")
@staff_required
def households(notice_id: int) -> str:
    """Who has read or confirmed, household by household."""
    return _households("notices/households.html", notice_id, PAGE)


@blueprint.get("/work/notices/<int:notice_id>/visits")
@staff_required
def visits(notice_id: int) -> str:
    """A list to print for going from door to door."""
    return _households("notices/visits.html", notice_id, MOST_VISITS)


def _households(template: str, notice_id: int, size: int) -> str:
    services, actor = current_services(), current_actor()
    asked = request.args.get("show", "")
    progress = Progress(asked) if asked in set(Progress) else Progress.OPEN
    raw = request.args.get("building", "")
    number = page_number(request.args.get("page")) if size == PAGE else 1
    with services.db.read() as session:
        notice = queries.whole(session, operations.load(session, actor, notice_id))
        buildings = [b for b, _units in audience.places_of(session, notice.region)]
        building = next((b for b in buildings if str(b.id) == raw), None)
        building_id = building.id if building else None
        found, more = readers.households(
            session, notice, progress, building_id=building_id, page=number, size=size
        )
        counts = readers.households_by_progress(session, notice, building_id)
    return render_template(
        template,
        notice=notice,
        households=found,
        more=more,
        number=number,
        progress=progress,
        counts=counts,
        Progress=Progress,
        buildings=buildings,
        building=building,
        names=actor.may(Permission.RESIDENT_LIST, notice.region.path),
        mask_name=mask_name,
        now=services.clock(),
    )


def _to(notice_id: int) -> Any:
    return redirect(url_for("notices.show", notice_id=notice_id), code=303)
