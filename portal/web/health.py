"""``/healthz``: the process answers. ``/readyz``: it can do its work (database reachable, schema at head)."""

from __future__ import annotations

from typing import Any

import structlog
from flask import Blueprint, jsonify
from sqlalchemy.exc import SQLAlchemyError

from portal.core import migrate
from portal.services import current_services

blueprint = Blueprint("health", __name__)
log = structlog.get_logger("portal.web")


@blueprint.get("/healthz")
def healthz() -> Any:
    """Alive."""
    return jsonify(status="ok")


@blueprint.get("/readyz")
def readyz() -> Any:
    """Ready, or 503 with the part that is not."""
    try:
        at = migrate.current(current_services().db)
    except SQLAlchemyError:
        log.exception("database not reachable")
        return jsonify(status="unavailable", checks={"database": "unreachable"}), 503
    wanted = migrate.head()
    migrations = "ok" if at == wanted else "not at head"
    status = "ok" if at == wanted else "unavailable"
    checks = {"database": "ok", "migrations": migrations}
    return jsonify(status=status, checks=checks), 200 if at == wanted else 503
