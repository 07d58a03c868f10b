"""How somebody wants pages to look: theme, text size, hints. Remembered in cookies, so that the server draws the
page right at once, also for who is not signed in. Nothing about the person is in them.

    theme   light | dark; none: as the device wishes
    text    large; none: normal
    hint    hidden; none: the hint to put the portal on the home screen is shown
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, Response, current_app, redirect, request

from portal.core.errors import DomainError
from portal.core.i18n import lazy
from portal.web.start import own_path

blueprint = Blueprint("display", __name__)

# What may be chosen; the first of each is the default and needs no cookie.
CHOICES: Final = {
    "theme": ("auto", "light", "dark"),
    "text": ("normal", "large"),
    "hint": ("shown", "hidden"),
}
KEPT_SECONDS: Final = 400 * 86_400  # browsers keep none longer


@dataclass(frozen=True, slots=True)
class Display:
    """The choice at hand."""

    theme: str
    text: str
    hint: str


def current_display() -> Display:
    """What the cookies of this request say; anything unknown counts as the default."""

    def chosen(name: str) -> str:
        value = request.cookies.get(name, "")
        return value if value in CHOICES[name] else CHOICES[name][0]

    return Display(theme=chosen("theme"), text=chosen("text"), hint=chosen("hint"))


@blueprint.post("/display")
def change() -> Any:
    """Remember the theme, the text size or that a hint was seen, and come back; scripts get an empty answer."""
    wanted = {name: request.form[name] for name in CHOICES if name in request.form}
    if not wanted or any(value not in CHOICES[name] for name, value in wanted.items()):
        raise DomainError("bad_display", lazy("This way of showing pages is not available."))
    answer: Any
    if request.headers.get("X-Requested-With") == "fetch":
        answer = Response(status=204)
    else:
        answer = redirect(own_path(request.form.get("back", "")), code=303)
    for name, value in wanted.items():
        answer.set_cookie(
            name,
            value,
            max_age=KEPT_SECONDS if value != CHOICES[name][0] else 0,
            secure=bool(current_app.config.get("SESSION_COOKIE_SECURE")),
            httponly=True,
            samesite="Lax",
        )
    return answer
