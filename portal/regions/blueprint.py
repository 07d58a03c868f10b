"""The blueprint that pages of this room belong to, and what all its templates know."""

from __future__ import annotations

from typing import Any

from flask import Blueprint

from portal.core.permissions import Permission
from portal.regions.tree import CHANGE_NAMES, LEVEL_NAMES

blueprint = Blueprint("regions", __name__, template_folder="templates", url_prefix="/work/regions")


@blueprint.app_context_processor
def _words() -> dict[str, Any]:
    return {
        "level_names": {str(k): v for k, v in LEVEL_NAMES.items()},
        "change_names": {str(k): v for k, v in CHANGE_NAMES.items()},
        "Permission": Permission,
    }
