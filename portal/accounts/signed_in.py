"""Who is signed in, per request: the cookie's token leads to the session's row, which says whether it lasts.

At sign-in the cookie is begun anew (nothing of before is of use), and the browser gets a cookie of its own by
which it is known next time. A request that a page sends by itself (header ``Linli-Poll``) does not count as
activity: an open page must not keep a session alive.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from functools import wraps
from typing import Any, Final, TypeVar, cast

from flask import Flask, Response, flash, g, redirect, request, session, url_for
from flask_login import user_logged_in

from portal.accounts import attempts, sessions
from portal.accounts.models import SignInSession, User
from portal.accounts.sessions import Limits
from portal.core import audit
from portal.core.actors import current_actor
from portal.core.i18n import _
from portal.services import current_services

TOKEN: Final = "sid"  # noqa: S105 - a name
CONFIRMED: Final = "confirmed_at"
CONFIRMED_SECONDS: Final = 600
DEVICE_COOKIE: Final = "linli_device"
DEVICE_KEPT_SECONDS: Final = 400 * 86_400  # browsers keep none longer
KEPT_AT_SIGN_IN: Final = ("language", "_flashes", "_user_id", "_fresh", "_id", "fs_cc", "fs_paa")
POLL_HEADER: Final = "Linli-Poll"
EVENT_STREAM: Final = "text/event-stream"
GATED_OPEN: Final = frozenset(
    {
        "static",
        "health.healthz",
        "health.readyz",
        "security.logout",
        "start.language",
        "display.change",
        "accounts.authenticator",
        "accounts.password",
    }
)
"""Pages for who still has to set up a second factor or to change the password."""
V = TypeVar("V")


def current_session() -> SignInSession | None:
    """The session of this request; ``None`` when nobody is signed in."""
    current_actor()
    found: SignInSession | None = g.get("sign_in_session")
    return found


def session_id() -> int:
    """Its number. Only where somebody is signed in."""
    row = current_session()
    assert row is not None  # noqa: S101 - signed_in_required saw to it
    return row.id


def account() -> User:
    """The account of this request. Only where somebody is signed in."""
    row = current_session()
    assert row is not None  # noqa: S101 - signed_in_required saw to it
    return row.user


def in_background() -> bool:
    """Whether a page asks by itself, while perhaps nobody sits there: that keeps no session alive."""
    return POLL_HEADER in request.headers or request.headers.get("Accept", "") == EVENT_STREAM


def lead_to(address: str) -> Response:
    """Send a person to another page first. A page that asks by itself is told that nothing comes: an event
    stream is not opened again after 204 (HTML standard, 9.2.3), everything else gets 401.
    """
    if not in_background():
        return cast(Response, redirect(address))
    return Response(status=204 if request.headers.get("Accept") == EVENT_STREAM else 401)


def load(user_id: str) -> User | None:
    """The account behind the cookie, when its session lasts; notes that it is used."""
    services = current_services()
    now = services.clock()
    token = session.get(TOKEN)
    if not isinstance(token, str):
        return None
    with services.db.read() as db:
        row = sessions.find(db, token)
    if row is None or row.user.fs_uniquifier != user_id or not row.user.active:
        return None
    over = Limits.of(services.config).over(row, staff=row.user.resident_id is None, now=now)
    background = in_background()
    if over:
        if not background:  # the end is said on the page that the person opens next
            _end(row, now, over)
        return None
    if not background and sessions.needs_seen(row, now):
        with services.db.write() as db:
            sessions.seen(db, row.id, now)
    g.sign_in_session = row
    return row.user


def _end(row: SignInSession, now: datetime, reason: str) -> None:
    with current_services().db.write() as db:
        ended = sessions.end(db, row.id, now, reason)
    session.pop(TOKEN, None)
    if ended:
        flash(
            _("You were away for a while and have been signed out. Please sign in again.")
            if reason == "idle"
            else _("Your session has come to its end. Please sign in again."),
            "info",
        )


def begin(user: User, method: str) -> None:
    """Open the session of somebody who has just proven who they are; the cookie is begun anew."""
    services = current_services()
    now = services.clock()
    device = request.cookies.get(DEVICE_COOKIE, "")[:64] or secrets.token_urlsafe(24)
    former = session.get(TOKEN)
    with services.db.write() as db:
        if isinstance(former, str) and (old := sessions.find(db, former)) is not None:
            sessions.end(db, old.id, now, "signed_out")
        opened = sessions.open_session(
            db,
            user,
            method=method,
            now=now,
            device=sessions.device_name(request.headers.get("User-Agent", "")),
            device_token=device,
            address=attempts.address(),
        )
    for name in [n for n in session if n not in KEPT_AT_SIGN_IN and not n.startswith("tf_")]:
        session.pop(name)
    g.pop("csrf_token", None)
    session.permanent = True
    session[TOKEN] = opened.token
    session[CONFIRMED] = int(now.timestamp())
    if user.language:
        session["language"] = user.language
    g.device_token = device
    attempts.succeeded(user)


def signed_out() -> None:
    """End the session of this request."""
    row = current_session()
    if row is not None:
        services = current_services()
        with services.db.write() as db:
            sessions.end(db, row.id, services.clock(), "signed_out")
            audit.record(db, current_actor(), "sign_in.end", ("session", row.id))
    for name in (TOKEN, CONFIRMED):
        session.pop(name, None)


def confirmed() -> bool:
    """Whether the person has proven who they are within the last ten minutes."""
    at = session.get(CONFIRMED, 0)
    return bool(current_services().clock().timestamp() - at < CONFIRMED_SECONDS)


def confirm_required(view: V) -> V:
    """Ask for the password first where the last proof is some time ago; for signed-in people."""

    @wraps(cast(Any, view))
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if current_actor().user_id is not None and not confirmed():
            back = request.path if request.method == "GET" else url_for("accounts.index")
            return redirect(url_for("accounts.confirm", next=back))
        return cast(Any, view)(*args, **kwargs)

    return cast(V, guarded)


def _logged_in(_app: Flask, user: User, **_extra: Any) -> None:
    method = g.pop("sign_in_method", None)
    begin(user, method or ("password+code" if session.get("tf_user_id") else "password"))


def _gate() -> Any:
    """Who still owes a second factor or a new password gets to no other page."""
    if request.endpoint in GATED_OPEN or request.path.startswith("/api/"):
        return None
    row = current_session()
    if row is None:
        return None
    if row.user.resident_id is None and not row.user.tf_totp_secret:
        return lead_to(url_for("accounts.authenticator"))
    if row.user.must_change_password:
        return lead_to(url_for("accounts.password"))
    return None


def install(app: Flask) -> None:
    """Keep sessions for this application; after Flask-Security."""
    app.login_manager.user_loader(load)  # type: ignore[attr-defined]
    user_logged_in.connect(_logged_in, app)
    app.before_request(_gate)

    @app.after_request
    def know_again(response: Response) -> Response:
        token = g.pop("device_token", None)
        if token is not None:
            response.set_cookie(
                DEVICE_COOKIE,
                token,
                max_age=DEVICE_KEPT_SECONDS,
                secure=bool(app.config["SESSION_COOKIE_SECURE"]),
                httponly=True,
                samesite="Lax",
            )
        return response

    @app.context_processor
    def new_device() -> dict[str, Any]:
        row = current_session()
        unseen = row is not None and row.user.unseen_session_id
        return {"new_sign_in": bool(unseen) and row is not None and unseen != row.id}
