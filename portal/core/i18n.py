"""Translations: msgids are English, the catalogue for zh_Hans_CN is complete.

Outside a request (worker, command line) the English text stands unless a language is forced.
"""

from __future__ import annotations

from typing import Final

from flask import g, has_request_context, request, session
from flask_babel import Babel, get_locale, gettext, lazy_gettext, ngettext

LANGUAGES: Final = {"zh_Hans_CN": "中文", "en": "English"}

_ = gettext
lazy = lazy_gettext

__all__ = ["LANGUAGES", "Babel", "_", "choose_language", "get_locale", "lazy", "ngettext"]


def choose_language() -> str:
    """The language of this request: chosen by the person, else asked for by the browser, else the default."""
    from flask import current_app

    default: str = current_app.config.get("BABEL_DEFAULT_LOCALE", "zh_Hans_CN")
    if not has_request_context():
        return default
    forced = getattr(g, "language", None)
    if forced in LANGUAGES:
        return str(forced)
    if session.get("language") in LANGUAGES:
        return str(session["language"])
    best = request.accept_languages.best_match(["zh", "zh-CN", "zh-Hans-CN", "en"])
    if best is None:
        return default
    return "en" if best == "en" else "zh_Hans_CN"
