"""Several items of one kind decided with one confirmation, each in a transaction of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import flash, redirect, render_template, request, url_for

from portal.core.actors import current_actor, staff_required
from portal.core.errors import DomainError
from portal.core.i18n import _
from portal.core.work import Choice, Note, WorkDetail
from portal.services import current_services
from portal.workbench import operations
from portal.workbench.blueprint import blueprint
from portal.workbench.places import asked_filter, filter_values
from portal.workbench.sources import source_of

MOST: Final = 50


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one item; ``problem`` is empty when it is done."""

    detail: WorkDetail
    problem: Any = None


def _asked() -> tuple[str, list[int]]:
    """Kind and ids of what was ticked: ``item=kind:id``, as the list sends it.

    Raises:
        DomainError: nothing was ticked, things of several kinds were, or too many.
    """
    kinds: dict[str, list[int]] = {}
    for value in request.values.getlist("item"):
        kind, _colon, number = value.rpartition(":")
        if number.isascii() and number.isdigit() and len(number) < 10:
            kinds.setdefault(kind, []).append(int(number))
    if not kinds:
        raise DomainError("nothing_chosen", _("Tick what you want to decide together."))
    if len(kinds) > 1:
        raise DomainError("several_kinds", _("Only things of one kind are decided together."))
    (kind, ids) = next(iter(kinds.items()))
    if len(ids) > MOST:
        raise DomainError("too_many", _("Tick at most 50 at once."))
    return kind, list(dict.fromkeys(ids))


def together(detail: WorkDetail) -> Choice | None:
    """The choice that may be made for several at once: the main one, when it takes no sentence."""
    return next(
        (c for c in detail.choices if c.tone == "main" and c.note is not Note.REQUIRED), None
    )


def _alone() -> str:
    return str(_("These have to be decided one by one."))


@blueprint.get("/work/batch")
@staff_required
def confirm() -> Any:
    """What is about to be decided, before it is."""
    actor, services = current_actor(), current_services()
    try:
        kind, ids = _asked()
        source = source_of(kind)
        now = services.clock()
        with services.db.read() as db:
            details = [source.detail(db, actor, number, now) for number in ids]
        waiting = [d for d in details if together(d) is not None]
        if not waiting:
            raise DomainError("none_together", _alone())
    except DomainError as error:
        if error.status != 422:
            raise
        flash(str(error.message), "warning")
        return redirect(url_for("workbench.index", **filter_values(asked_filter())))
    return render_template(
        "workbench/batch.html", source=source, details=waiting, choice=together(waiting[0])
    )


@blueprint.post("/work/batch")
@staff_required
def carry_out() -> Any:
    """Decide each; what cannot be is said beside it."""
    actor, services = current_actor(), current_services()
    kind, ids = _asked()
    source = source_of(kind)
    results = []
    for number in ids:
        now = services.clock()
        with services.db.read() as db:
            detail = source.detail(db, actor, number, now)
        choice = together(detail)
        if choice is None:
            problem = (
                _("Somebody else has decided this already.") if not detail.choices else _alone()
            )
            results.append(Result(detail, problem))
            continue
        try:
            with services.db.write() as db:
                operations.decide(db, actor, kind, number, choice.value, "", now)
        except DomainError as error:
            results.append(Result(detail, error.message))
        else:
            results.append(Result(detail))
    return render_template("workbench/results.html", source=source, results=results)
