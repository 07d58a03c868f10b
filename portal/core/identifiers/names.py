"""Personal names brought to one form for finding: blanks, dots, case and full-width forms do not count."""

import re
import unicodedata

SHORTEST = 2
"""Signs of a name that may be looked for: a surname alone would list half a community."""

_IGNORED = re.compile(r"[\s·•・‧∙'’.\-]+")


def name_key(name: str) -> str:
    """The form under which a name is hashed and looked for."""
    return _IGNORED.sub("", unicodedata.normalize("NFKC", name)).casefold()


def whole_name(typed: str) -> str | None:
    """The key of what may be somebody's whole name, else ``None``: only letters, at least two of them."""
    key = name_key(typed)
    if len(key) < SHORTEST or not all(unicodedata.category(c)[0] in "LM" for c in key):
        return None
    return key
