"""Attachments: pictures made anew, documents looked into, both sealed in the data folder.

A picture is decoded and encoded again, so that nothing of the file that was sent is kept: no camera data,
no place, no hidden rest. A PDF is kept as it is and therefore only ever handed out for saving, in a
sandbox. Files lie under ``notices/`` in the data folder by random names, encrypted with the field key, in
a context of their own each, so that exchanging two makes both unreadable.
"""

from __future__ import annotations

import base64
import re
import secrets
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image, ImageOps
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.core import protected
from portal.core.errors import ConflictError, DomainError
from portal.core.i18n import lazy
from portal.core.permissions import Actor, Permission, found, not_found
from portal.notices import queries
from portal.notices.models import FileKind, Notice, NoticeFile, NoticeState
from portal.notices.operations import is_over, load, record

LARGEST: Final = 10 * 1024 * 1024
"""Bytes of one file as sent."""
LARGEST_SIDE: Final = 1600
"""Pixels of the longer side that are kept: enough for a notice with small print on a phone."""
MOST_PIXELS: Final = 60_000_000
MOST_FILES: Final = 9
NAME_LENGTH: Final = 80
QUALITY: Final = 82
PICTURES: Final = ("JPEG", "PNG", "WEBP")
MEDIA_TYPES: Final = {FileKind.IMAGE: "image/jpeg", FileKind.PDF: "application/pdf"}
ENDINGS: Final = {FileKind.IMAGE: ".jpg", FileKind.PDF: ".pdf"}
_KEY: Final = re.compile(r"[0-9a-f]{32}")
_UNSAFE: Final = re.compile(r'[\\/:*?"<>|%]+')


@dataclass(frozen=True, slots=True)
class Content:
    """What is kept of a file."""

    kind: FileKind
    data: bytes
    width: int | None = None
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Folder:
    """Where sealed files lie. ``root`` is made when first needed."""

    root: Path

    def put(self, key: str, data: bytes) -> None:
        """Seal and write; readable for this account only."""
        path = self._path(key)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        sealed = protected.seal(base64.b64encode(data).decode(), _context(key))
        fresh = path.with_suffix(".new")
        fresh.touch(mode=0o600)
        fresh.write_bytes(sealed)
        fresh.replace(path)

    def get(self, key: str) -> bytes:
        """The file again.

        Raises:
            NotFoundError: it is not there any more.
        """
        try:
            sealed = self._path(key).read_bytes()
        except FileNotFoundError:
            raise not_found() from None
        return base64.b64decode(protected.unseal(sealed, _context(key)))

    def drop(self, key: str) -> None:
        """Remove it; nothing happens when it is gone."""
        self._path(key).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError("not the key of a file")
        return self.root / key[:2] / key


def _context(key: str) -> str:
    return f"notice_files/{key}"


def folder_in(data_dir: Path) -> Folder:
    """The folder of an installation."""
    return Folder(data_dir / "notices")


def look_into(data: bytes) -> Content:
    """Find out by its content what a file is, and make it fit to keep.

    Raises:
        DomainError: empty, too large, or neither a picture nor a PDF that can be read.
    """
    if not data:
        raise _refused("file_missing", lazy("Choose a file."))
    if len(data) > LARGEST:
        raise _refused("file_large", lazy("This file is larger than 10 MB. Choose a smaller one."))
    if data.startswith(b"%PDF-"):
        if b"%%EOF" not in data[-2048:]:
            raise _refused("file_broken", lazy("This PDF is not complete. Save it again."))
        return Content(FileKind.PDF, data)
    return _picture(data)


def _picture(data: bytes) -> Content:
    try:
        with Image.open(BytesIO(data), formats=PICTURES) as sent:
            if sent.width * sent.height > MOST_PIXELS:
                raise _refused("picture_large", lazy("This picture has too many pixels."))
            upright = ImageOps.exif_transpose(sent)
            upright.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
            coloured = upright.convert("RGBA")
    except (
        OSError,
        ValueError,
        SyntaxError,
        Image.DecompressionBombError,
        Image.DecompressionBombWarning,
    ):
        raise _refused(
            "file_unknown", lazy("Only pictures (JPEG, PNG, WebP) and PDF files can be attached.")
        ) from None
    plain = Image.new("RGB", coloured.size, "white")
    plain.paste(coloured, mask=coloured)
    out = BytesIO()
    plain.save(out, "JPEG", quality=QUALITY, optimize=True)
    return Content(FileKind.IMAGE, out.getvalue(), plain.width, plain.height)


def _refused(code: str, sentence: object) -> DomainError:
    return DomainError(code, sentence, field="file")


def clean_name(typed: str, kind: FileKind) -> str:
    """The name to offer for saving: without folders and control marks, with the ending of its kind."""
    last = typed.replace("\\", "/").rsplit("/", 1)[-1]
    shown = "".join(
        c for c in unicodedata.normalize("NFC", last) if not unicodedata.category(c).startswith("C")
    )
    stem = _UNSAFE.sub(" ", shown).rsplit(".", 1)[0].strip(" .")
    ending = ENDINGS[kind]
    return (stem or str(kind))[: NAME_LENGTH - len(ending)] + ending


def attach(
    session: Session,
    actor: Actor,
    folder: Folder,
    notice_id: int,
    content: Content,
    name: str,
    now: datetime,
) -> NoticeFile:
    """Attach what :func:`look_into` has accepted.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        ConflictError: the notice is over; DomainError: it has enough files.
    """
    notice = _to_change(session, actor, notice_id, now)
    number = session.scalar(
        select(func.count()).select_from(NoticeFile).where(NoticeFile.notice_id == notice.id)
    )
    if (number or 0) >= MOST_FILES:
        raise _refused("files_many", lazy("A notice has at most 9 files. Remove one first."))
    file = NoticeFile(
        notice_id=notice.id,
        kind=content.kind,
        name=clean_name(name, content.kind),
        key=secrets.token_hex(16),
        size=len(content.data),
        width=content.width,
        height=content.height,
        added_at=now,
    )
    session.add(file)
    session.flush()
    record(session, actor, "attach", notice, kind=str(content.kind), size=file.size)
    folder.put(file.key, content.data)
    return file


def detach(session: Session, actor: Actor, notice_id: int, file_id: int, now: datetime) -> str:
    """Take an attachment off.

    Returns:
        Its key; the file itself is dropped after the commit.

    Raises:
        NotFoundError, ForbiddenError: see :func:`portal.core.permissions.require`.
        ConflictError: the notice is over.
    """
    notice = _to_change(session, actor, notice_id, now)
    file = one_of(session, notice, file_id)
    session.delete(file)
    record(session, actor, "detach", notice, kind=file.kind)
    return file.key


def _to_change(session: Session, actor: Actor, notice_id: int, now: datetime) -> Notice:
    notice = load(session, actor, notice_id)
    if is_over(notice, now):
        raise ConflictError("over", lazy("This notice is over; write a new one."))
    return notice


def one_of(session: Session, notice: Notice, file_id: int) -> NoticeFile:
    """An attachment of this notice, whoever asks. Raises :class:`NotFoundError` where it is another's."""
    file = found(session.get(NoticeFile, file_id))
    if file.notice_id != notice.id:
        raise not_found()
    return file


def to_show(
    session: Session, actor: Actor, notice_id: int, file_id: int, now: datetime
) -> NoticeFile:
    """An attachment, for staff of the notice and for its audience while it is not withdrawn.

    Raises:
        NotFoundError: it is not there, or not for this person.
    """
    notice = found(session.get(Notice, notice_id))
    if not actor.may(Permission.NOTICE_PUBLISH, notice.region.path):
        queries.own_one(session, actor, notice_id, now)
        if notice.state == NoticeState.WITHDRAWN:
            raise not_found()
    return one_of(session, notice, file_id)
