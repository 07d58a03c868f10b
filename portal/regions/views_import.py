"""Pages of imports: upload, what it would do or what is wrong by line, apply."""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, url_for
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from portal.core.actors import current_actor, staff_required
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import _, lazy
from portal.core.permissions import Actor, Permission, found, require_somewhere
from portal.regions import book, dwelling_import, importing, tree, uploads
from portal.regions.blueprint import blueprint
from portal.regions.forms import ImportForm, blame
from portal.regions.import_lines import COLUMNS
from portal.regions.models import Region, RegionUpload
from portal.regions.sheets import LARGEST, faults_as_csv
from portal.regions.uploads import UploadKind
from portal.services import current_services

SHOWN = 100
"""Lines of each kind on the page; the CSV has all."""


@blueprint.route("/import", methods=["GET", "POST"])
@staff_required
def import_regions() -> Any:
    """Upload codes and names."""
    actor = current_actor()
    require_somewhere(actor, Permission.REGION_MANAGE)
    return _upload(actor, None)


@blueprint.route("/<code>/dwellings", methods=["GET", "POST"])
@staff_required
def import_dwellings(code: str) -> Any:
    """Upload the dwellings of a community."""
    actor = current_actor()
    with current_services().db.read() as session:
        community = tree.load_present(session, actor, Permission.REGION_VIEW, code)
        book.require_community(actor, community)
    return _upload(actor, community)


def _upload(actor: Actor, community: Region | None) -> Any:
    services, form, status = current_services(), ImportForm(), 200
    columns = dwelling_import.COLUMNS if community else COLUMNS
    if form.validate_on_submit():
        given = request.files.get("file")
        content = b""
        if given is not None:
            content = given.read(LARGEST + 1)
            given.close()
        try:
            with services.db.read() as session:
                _plan(session, actor, content, community)
            with services.db.write() as session:
                row = uploads.keep(
                    session,
                    actor,
                    UploadKind.DWELLINGS if community else UploadKind.REGIONS,
                    content,
                    services.clock(),
                    community.id if community else None,
                )
            return redirect(url_for("regions.upload", upload=row.token))
        except DomainError as error:
            if error.status != DomainError.status:
                raise
            blame(form, error, "file")
            status = 422
    elif form.is_submitted():
        status = 422
    return render_template(
        "regions/import.html", form=form, community=community, columns=columns
    ), status


def _plan(session: Session, actor: Actor, content: bytes, community: Region | None) -> Any:
    if community is None:
        return importing.plan(session, actor, content)
    return dwelling_import.plan(session, actor, community, content)


def _looked(session: Session, actor: Actor, token: str) -> tuple[RegionUpload, Region | None, Any]:
    row = uploads.load(session, actor, token, current_services().clock())
    community = (
        found(session.get(Region, row.community_id)) if row.kind == UploadKind.DWELLINGS else None
    )
    plan = None if row.applied_at else _plan(session, actor, row.content, community)
    return row, community, plan


@blueprint.get("/import/<upload>")
@staff_required
def upload(upload: str) -> Any:
    """What a file would do, what is wrong with it, or what it has done."""
    with current_services().db.read() as session:
        row, community, plan = _looked(session, current_actor(), upload)
    template = "regions/upload_dwellings.html" if community else "regions/upload_regions.html"
    return render_template(template, upload=row, community=community, plan=plan, shown=SHOWN)


@blueprint.post("/import/<upload>")
@staff_required
def apply(upload: str) -> Any:
    """Apply a file, once."""
    services, actor = current_services(), current_actor()
    now = services.clock()
    try:
        with services.db.write() as session:
            row = uploads.load(session, actor, upload, now)
            if row.kind == UploadKind.DWELLINGS:
                community = found(session.get(Region, row.community_id))
                result = dwelling_import.apply(session, actor, community, row.content)
                counts = result.shelf.counts()
            else:
                counts = importing.apply(session, actor, row.content, now).counts()
            uploads.settle(session, row, counts, now)
    except ConflictError as error:
        flash(str(error.message), "warning")
    except IntegrityError:
        flash(_("Somebody changed the same regions at this moment. Look again."), "warning")
    else:
        flash(_("The file has been applied."), "success")
    return redirect(url_for("regions.upload", upload=upload))


@blueprint.get("/import/<upload>/faults.csv")
@staff_required
def faults_file(upload: str) -> Response:
    """Everything that is wrong with a file, as CSV."""
    with current_services().db.read() as session:
        _row, _community, plan = _looked(session, current_actor(), upload)
    headings = [str(h) for h in (lazy("Line"), lazy("Column"), lazy("What is wrong"), lazy("Cell"))]
    body = faults_as_csv(plan.faults if plan else (), headings)
    return Response(
        body,
        mimetype="text/csv",
        headers={
            "Content-Disposition": 'attachment; filename="import-faults.csv"',
            "Cache-Control": "no-store",
        },
    )
