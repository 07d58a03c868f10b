"""Attachments: made anew, sealed, and shown to whom the notice is for."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image
from werkzeug.test import TestResponse

from portal.core.crypto.envelope import EnvelopeError
from portal.core.errors import DomainError, NotFoundError
from portal.notices import files
from portal.notices.models import FileKind, NoticeFile
from tests.portal.notices.written import building, released, stored, withdrawn, written
from tests.portal.village import People
from tests.portal.world import SPRING_USCC, START, World

PDF = b"%PDF-1.7\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF\n"
PLACE_TAG = 0x8825
TURNED = 6


def photo(form: str = "JPEG", size: tuple[int, int] = (2400, 1200), mode: str = "RGB") -> bytes:
    """A photo with a camera's notes: where, and how it was held."""
    picture = Image.new(mode, size, "red")
    notes = Image.Exif()
    notes[0x0112] = TURNED
    notes[0x010E] = "secret place"
    out = BytesIO()
    picture.save(out, form, exif=notes)
    return out.getvalue()


def send(people: People, notice_id: int, data: bytes, name: str = "x.jpg") -> TestResponse:
    return people.client("worker").post(
        f"/work/notices/{notice_id}/files", data={"file": (BytesIO(data), name)}
    )


def attached(world: World, notice_id: int) -> list[NoticeFile]:
    return list(stored(world, notice_id).files)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP"])
def test_a_picture_is_made_anew_upright_and_without_the_camera_s_notes(form: str) -> None:
    content = files.look_into(photo(form))
    assert content.kind is FileKind.IMAGE
    with Image.open(BytesIO(content.data)) as kept:
        assert kept.format == "JPEG"
        assert kept.size == (content.width, content.height) == (800, 1600)
        assert not kept.getexif()
    assert b"secret place" not in content.data
    assert b"Exif" not in content.data


def test_a_transparent_picture_stands_on_white() -> None:
    clear = Image.new("RGBA", (10, 10), (0, 0, 0, 0))
    out = BytesIO()
    clear.save(out, "PNG")
    with Image.open(BytesIO(files.look_into(out.getvalue()).data)) as kept:
        assert kept.getpixel((5, 5)) == (255, 255, 255)


def _bomb() -> bytes:
    out = BytesIO()
    Image.new("1", (20_000, 20_000)).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "file_missing"),
        (b"<html><script>alert(1)</script>", "file_unknown"),
        (b"GIF89a" + b"\0" * 40, "file_unknown"),
        (photo()[:300], "file_unknown"),
        (b"%PDF-1.7 and no end", "file_broken"),
        (PDF + b" " * files.LARGEST, "file_large"),
        (b"MZ" + PDF, "file_unknown"),
    ],
)
def test_what_is_neither_picture_nor_document_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(DomainError) as caught:
        files.look_into(data)
    assert (caught.value.code, caught.value.field) == (code, "file")


def test_a_picture_that_would_fill_the_memory_is_refused() -> None:
    with pytest.raises(DomainError):
        files.look_into(_bomb())


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("停水通知.pdf", "停水通知.pdf"),
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\temp\\a.exe", "a.pdf"),
        ("a\u202efdp.exe", "afdp.pdf"),
        ("", "pdf.pdf"),
        ("\x00\r\n", "pdf.pdf"),
        ("长" * 300, "长" * 76 + ".pdf"),
        ('"; rm -rf', "; rm -rf.pdf"),
    ],
)
def test_names_are_harmless(typed: str, name: str) -> None:
    assert files.clean_name(typed, FileKind.PDF) == name


def test_a_file_lies_sealed_under_a_random_name(
    world: World, people: People, tmp_path: Path
) -> None:
    notice_id = released(world)
    assert send(people, notice_id, PDF, "停水.pdf").status_code == 303
    row = attached(world, notice_id)[0]
    kept = [path for path in (tmp_path / "notices").rglob("*") if path.is_file()]
    assert [path.name for path in kept] == [row.key]
    assert kept[0].stat().st_mode & 0o777 == 0o600
    assert b"%PDF" not in kept[0].read_bytes()
    assert re.fullmatch(r"[0-9a-f]{32}", row.key)


def test_a_file_put_in_place_of_another_cannot_be_read(world: World, tmp_path: Path) -> None:
    folder = files.Folder(tmp_path / "f")
    folder.put("0" * 32, b"one")
    folder.put("0" * 31 + "1", b"two")
    (tmp_path / "f/00" / ("0" * 32)).replace(tmp_path / "f/00" / ("0" * 31 + "1"))
    with pytest.raises(EnvelopeError):
        folder.get("0" * 31 + "1")
    with pytest.raises(NotFoundError):
        folder.get("0" * 32)
    with pytest.raises(ValueError, match="key"):
        folder.get("../../linli.db")


def test_documents_are_handed_out_for_saving_in_a_sandbox(world: World, people: People) -> None:
    notice_id = released(world)
    send(people, notice_id, PDF, "停水.pdf")
    send(people, notice_id, photo())
    document, picture = attached(world, notice_id)
    client = people.client("resident")
    page = client.get(f"/notices/{notice_id}").text
    assert "停水.pdf" in page
    answer = client.get(f"/notices/{notice_id}/files/{document.id}")
    assert answer.data == PDF
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert answer.headers["Content-Type"] == "application/pdf"
    shown = client.get(f"/notices/{notice_id}/files/{picture.id}")
    assert shown.headers["Content-Type"] == "image/jpeg"
    for one in (answer, shown):
        assert "sandbox" in one.headers["Content-Security-Policy"]
        assert one.headers["X-Content-Type-Options"] == "nosniff"
        assert one.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("resident", 200),
        ("worker", 200),
        ("manager", 200),
        ("neighbour", 404),
        ("outsider", 404),
        ("pending", 404),
        ("gatekeeper", 404),
        ("far_worker", 404),
        (None, 302),
    ],
)
def test_who_may_see_a_file(world: World, people: People, who: str | None, status: int) -> None:
    notice_id = released(world, audience=building(world))
    send(people, notice_id, PDF)
    row = attached(world, notice_id)[0]
    answer = people.client(who).get(f"/notices/{notice_id}/files/{row.id}")
    assert answer.status_code == status
    elsewhere = released(world, public=True)
    expected = 404 if who else 302
    assert people.client(who).get(f"/notices/{elsewhere}/files/{row.id}").status_code == expected
    public = f"/c/{SPRING_USCC}/notices/{{}}/files/{row.id}"
    for other in (notice_id, elsewhere):
        assert people.client(who).get(public.format(other)).status_code == 404


def test_files_of_drafts_scheduled_and_withdrawn_notices_are_staff_s(
    world: World, people: People
) -> None:
    later = START + timedelta(hours=1)
    draft, scheduled = written(world, public=True), released(world, public=True, publish_at=later)
    gone = released(world, public=True)
    for notice_id in (draft, scheduled, gone):
        send(people, notice_id, PDF)
    withdrawn(world, gone)
    for notice_id in (draft, scheduled, gone):
        row = attached(world, notice_id)[0]
        path = f"/notices/{notice_id}/files/{row.id}"
        assert people.client("worker").get(path).status_code == 200
        assert people.client("resident").get(path).status_code == 404
        public = f"/c/{SPRING_USCC}{path}"
        assert people.client().get(public).status_code == 404


def test_files_of_public_notices_are_everybody_s(world: World, people: People) -> None:
    notice_id = released(world, public=True)
    send(people, notice_id, PDF)
    row = attached(world, notice_id)[0]
    path = f"/c/{SPRING_USCC}/notices/{notice_id}"
    assert f"{path}/files/{row.id}" in people.client().get(path).text
    answer = people.client().get(f"{path}/files/{row.id}")
    assert answer.status_code == 200
    assert "sandbox" in answer.headers["Content-Security-Policy"]


def test_a_refused_file_is_a_sentence_beside_its_field(world: World, people: People) -> None:
    notice_id = released(world)
    for data in (b"", b"nonsense"):
        answer = send(people, notice_id, data)
        assert answer.status_code == 422
        assert 'id="file-error"' in answer.text
        assert "明天停水" in answer.text
    assert attached(world, notice_id) == []


def test_a_photo_larger_than_other_requests_may_be_gets_through(
    world: World, people: People
) -> None:
    notice_id = released(world)
    for rest, status in ((6 * 1024 * 1024, 303), (12 * 1024 * 1024, 413)):
        head = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n'
        answer = people.client("worker").post(
            f"/work/notices/{notice_id}/files",
            data=head + PDF + b" " * rest + PDF + b"\r\n--x--\r\n",
            content_type="multipart/form-data; boundary=x",
        )
        assert answer.status_code == status
    assert len(attached(world, notice_id)) == 1


def test_a_tenth_file_is_refused(world: World, people: People) -> None:
    notice_id = released(world)
    for _ in range(files.MOST_FILES):
        assert send(people, notice_id, PDF).status_code == 303
    answer = send(people, notice_id, PDF)
    assert answer.status_code == 422
    assert len(attached(world, notice_id)) == files.MOST_FILES


def test_what_is_removed_or_thrown_away_leaves_no_file(
    world: World, people: People, tmp_path: Path
) -> None:
    notice_id = written(world)
    for _ in range(2):
        send(people, notice_id, PDF)
    first, second = attached(world, notice_id)
    worker = people.client("worker")
    folder = files.folder_in(tmp_path)
    worker.post(f"/work/notices/{notice_id}/files/{first.id}/remove")
    with pytest.raises(NotFoundError):
        folder.get(first.key)
    assert folder.get(second.key) == PDF
    worker.post(f"/work/notices/{notice_id}/discard")
    with pytest.raises(NotFoundError):
        folder.get(second.key)
    assert worker.get(f"/work/notices/{notice_id}").status_code == 404


def test_a_notice_that_is_over_takes_no_files(world: World, people: People) -> None:
    notice_id = released(world)
    withdrawn(world, notice_id)
    assert send(people, notice_id, PDF).status_code == 409
