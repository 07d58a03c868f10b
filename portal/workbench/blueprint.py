"""The blueprint that pages of this room belong to."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("workbench", __name__, template_folder="templates")
