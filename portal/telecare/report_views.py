"""The monthly report on a page and as CSV."""

from __future__ import annotations

import csv
import io
from typing import Any

from flask import Response, render_template

from portal.core.actors import current_actor, staff_required
from portal.core.permissions import Permission, require_somewhere
from portal.services import current_services
from portal.telecare import report as reporting
from portal.telecare.blueprint import WORDS, blueprint


@blueprint.get("/work/telecare/report")
@staff_required
def report() -> str:
    """How fast alarms were answered, month by month."""
    return render_template(
        "telecare/report.html",
        months=_months(),
        soon_target=reporting.SOON_TARGET,
        late_target=reporting.LATE_TARGET,
        **WORDS,
    )


@blueprint.get("/work/telecare/report.csv")
@staff_required
def report_csv() -> Response:
    """The same as CSV (UTF-8 with a mark that spreadsheets understand)."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(reporting.CSV_HEAD)
    writer.writerows(reporting.csv_row(month) for month in _months())
    response = Response("\ufeff" + text.getvalue(), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="telecare-report.csv"'
    return response


def _months() -> list[Any]:
    services, actor = current_services(), current_actor()
    require_somewhere(actor, Permission.TELECARE_LIST)
    with services.db.read() as session:
        return list(reporting.months(session, actor, services.clock()))
