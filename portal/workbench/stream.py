"""``/work/events``: the workbench hears at once what has changed, see :mod:`portal.core.live`.

Only counts, kinds and numbers go over the stream; what they stand for is fetched by the page, with its
permissions asked anew.
"""

from __future__ import annotations

import re
from typing import Any, Final

from flask import Response, current_app, request, stream_with_context

from portal.core import live
from portal.core.actors import current_actor, staff_required
from portal.services import current_services
from portal.workbench.blueprint import blueprint
from portal.workbench.queue import snapshot

_MARK: Final = re.compile(r"[0-9a-f]{16}")


@blueprint.get("/work/events")
@staff_required
def events() -> Any:
    """The stream of the person at hand.

    Raises:
        TooManyError: no place is left in this process; the page asks by the clock.
    """
    actor, services = current_actor(), current_services()
    hub: live.Hub = current_app.extensions[live.EXTENSION]
    said = request.headers.get("Last-Event-ID") or request.args.get("last", "")
    known = said if _MARK.fullmatch(said) else ""
    place = hub.open(actor.user_id)

    def look() -> live.Snapshot:
        with services.db.read() as db:
            return snapshot(db, actor, services.clock())

    text = live.speak(hub, place, look, known, live.hung_up(request.environ))
    answer = Response(stream_with_context(text), mimetype="text/event-stream")
    answer.call_on_close(place.close)
    answer.headers["X-Accel-Buffering"] = "no"
    return answer
