"""Words shown to people: `_` translates now, `lazy` when the words are shown.

Message ids are English sentences. Outside an application both give the English sentence back,
so that the command line and the worker may use the same words as the pages.
"""

from typing import Any

import flask_babel


def _(message: str, /, **variables: Any) -> str:
    """Translate `message` into the reader's language now."""
    return str(flask_babel.gettext(message, **variables))


def lazy(message: str, /, **variables: Any) -> Any:
    """Return an object that becomes the translated sentence on `str()`; for module level."""
    return flask_babel.lazy_gettext(message, **variables)
