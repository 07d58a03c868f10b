"""The workbench on pages: the queue, one item beside it, what is done with items.

Everything works without script; with it, the list follows what others do (:mod:`portal.workbench.stream`),
and keys do what buttons do.
"""

from __future__ import annotations

from typing import Any

from flask import Response, flash, redirect, render_template, request, session, url_for

from portal.core.actors import current_actor, staff_required
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import _
from portal.core.permissions import ROLE_NAMES
from portal.services import current_services
from portal.workbench import batch, operations, stream
from portal.workbench import queue as reading
from portal.workbench.blueprint import blueprint
from portal.workbench.forms import DecisionForm
from portal.workbench.places import asked_filter, filter_values, ways

__all__ = ["batch", "blueprint", "stream"]


@blueprint.get("/work")
@staff_required
def index() -> str:
    """What needs the actor now."""
    return _page()


@blueprint.get("/work/items/<kind>/<int(max=2147483647):item_id>")
@staff_required
def item(kind: str, item_id: int) -> str:
    """One item, beside the list where there is room."""
    return _page(_shown(kind, item_id))


@blueprint.get("/work/list")
@staff_required
def list_() -> str:
    """The list alone, for the page that keeps it up to date."""
    actor, services = current_actor(), current_services()
    with services.db.read() as db:
        queue = reading.queue(db, actor, services.clock())
    return render_template("workbench/_list.html", **_listed(queue, request.args.get("at")))


@blueprint.post(
    "/work/items/<kind>/<int(max=2147483647):item_id>/<any(claim, release, takeover):verb>"
)
@staff_required
def take(kind: str, item_id: int, verb: str) -> Any:
    """Take an item, leave it to others, or take it from whoever is at it."""
    actor, services = current_actor(), current_services()
    act = {
        "claim": operations.claim,
        "release": operations.release,
        "takeover": operations.take_over,
    }[verb]
    try:
        with services.db.write() as db:
            act(db, actor, kind, item_id, services.clock())
    except ConflictError as error:
        flash(str(error.message), "warning")
    return _to("workbench.item", kind=kind, item_id=item_id)


@blueprint.post("/work/items/<kind>/<int(max=2147483647):item_id>/decision")
@staff_required
def decision(kind: str, item_id: int) -> Any:
    """Carry a choice out and go on with the next item."""
    actor, services = current_actor(), current_services()
    form = DecisionForm()
    now = services.clock()
    with services.db.read() as db:
        before = reading.queue(db, actor, now)
    try:
        with services.db.write() as db:
            made = operations.decide(
                db,
                actor,
                kind,
                item_id,
                request.form.get("choice", ""),
                form.note.data or "",
                now,
            )
    except ConflictError as error:
        flash(str(error.message), "warning")
        return _to("workbench.item", kind=kind, item_id=item_id)
    except DomainError as error:
        if error.status != 422:
            raise
        if error.field == "note":
            form.note.errors = [str(error.message)]
        else:
            form.form_errors = [str(error.message)]
        return _page(_shown(kind, item_id), form), 422
    session["work_decided"] = made.id
    following = _next(before, f"{kind}:{item_id}")
    if following is None:
        return _to("workbench.index")
    return _to("workbench.item", kind=following.item.kind, item_id=following.item.id)


@blueprint.post("/work/decisions/<int(max=2147483647):decision_id>/undo")
@staff_required
def undo(decision_id: int) -> Any:
    """Take a decision back and show the item that waits again."""
    actor, services = current_actor(), current_services()
    try:
        with services.db.write() as db:
            decided = operations.undo(db, actor, decision_id, services.clock())
    except ConflictError as error:
        flash(str(error.message), "warning")
        return _to("workbench.index")
    flash(_("Taken back. It waits again."), "success")
    return _to("workbench.item", kind=decided.kind, item_id=decided.item_id)


def _next(queue: reading.Queue, key: str) -> reading.Entry | None:
    """The entry to go on with after this one: the next below, else the last above; of those shown."""
    actor, chosen = current_actor(), asked_filter()
    keys = [e.key for e in queue.entries if e.key == key or chosen.shows(e, actor)]
    if key not in keys:
        return None
    by_key = {e.key: e for e in queue.entries}
    place = keys.index(key)
    rest = keys[place + 1 :] + keys[:place][::-1]
    free = [
        by_key[k]
        for k in rest
        if (claim := by_key[k].claim) is None or claim.user_id == actor.user_id
    ]
    return free[0] if free else None


def _shown(kind: str, item_id: int) -> reading.Shown:
    services = current_services()
    with services.db.read() as db:
        return reading.item(db, current_actor(), kind, item_id, services.clock())


def _page(shown: reading.Shown | None = None, form: DecisionForm | None = None) -> str:
    actor, services = current_actor(), current_services()
    now = services.clock()
    with services.db.read() as db:
        queue = reading.queue(db, actor, now)
        decided = reading.decided_just_now(db, actor, now)
    made = session.pop("work_decided", None)
    at = f"{shown.detail.item.kind}:{shown.detail.item.id}" if shown else None
    roles = [ROLE_NAMES[g.role] for g in actor.grants if g.role is not None]
    return render_template(
        "workbench/index.html",
        shown=shown,
        form=form or DecisionForm(formdata=None),
        decided=decided,
        toast=next((d for d in decided if d.decision.id == made), None),
        roles=list(dict.fromkeys(roles)),
        ways=ways(actor),
        **_listed(queue, at),
    )


def _listed(queue: reading.Queue, at: str | None) -> dict[str, Any]:
    actor, chosen = current_actor(), asked_filter()
    values = filter_values(chosen)
    return {
        "queue": queue,
        "entries": [e for e in queue.entries if chosen.shows(e, actor)],
        "chosen": chosen,
        "values": values,
        "at": at,
        "me": actor.user_id,
        "now": current_services().clock(),
        "all_kinds": url_for("workbench.index", **{n: v for n, v in values.items() if n != "only"}),
        "tabs": [
            (source.label, url_for("workbench.index", **{**values, "only": source.kind}), source)
            for source in queue.sources
        ],
        "Whose": reading.Whose,
    }


def _to(endpoint: str, **values: Any) -> Response:
    response = redirect(url_for(endpoint, **values, **filter_values(asked_filter())), code=303)
    assert isinstance(response, Response)  # noqa: S101 - narrows the type for mypy
    return response
