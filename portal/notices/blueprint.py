"""The blueprint that pages of this room belong to."""

from __future__ import annotations

from flask import Blueprint, request

from portal.notices.words import NAMES

LARGEST_UPLOAD = 11 * 1024 * 1024
"""Bytes of a request that brings an attachment: the largest file and the form around it."""

blueprint = Blueprint("notices", __name__, template_folder="templates")


@blueprint.url_value_preprocessor
def _let_files_through(endpoint: str | None, _values: object) -> None:
    # Before anything reads the form, the CSRF check included.
    if endpoint == "notices.attach":
        request.max_content_length = LARGEST_UPLOAD


@blueprint.app_context_processor
def _words() -> dict[str, object]:
    return dict(NAMES)
