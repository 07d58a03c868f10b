"""The resident's pass in a browser."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import segno
from sqlalchemy import select

from portal.core.permissions import Role
from portal.passes import own
from portal.passes.drawing import qr_svg
from portal.passes.models import Pass
from portal.passes.operations import load_keyset, revoke
from portal.passes.verdict import Reason, verify
from portal.residents.models import Resident, ResidentState
from tests.portal.village import People
from tests.portal.world import World


def test_the_page_shows_a_code_that_verifies(
    world: World, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    from portal.passes import views

    def draw(text: str) -> str:
        drawn.append(text)
        return str(qr_svg(text))

    monkeypatch.setattr(views, "qr_svg", draw)
    page = people.client("resident").get("/pass")
    assert page.status_code == 200
    assert "春晓社区" in page.text
    assert 'data-seconds="60" data-renew="40"' in page.text
    with world.db.read() as session:
        verdict = verify(drawn[0], load_keyset(session), world.clock())
        issued = session.scalars(select(Pass)).one()
    assert verdict.reason is Reason.OK
    assert verdict.claims is not None
    assert verdict.claims.pass_id.hex() == issued.id
    assert drawn[0] not in page.text


def test_every_fetch_gives_a_new_code_of_the_same_pass(world: World, people: People) -> None:
    client = people.client("resident")
    pictures = {client.get("/pass/code").text for _ in range(3)}
    assert len(pictures) == 3
    with world.db.read() as session:
        assert len(session.scalars(select(Pass)).all()) == 1


def test_codes_are_kept_by_nobody_and_stand_in_no_address(people: People) -> None:
    client = people.client("resident")
    for path in ("/pass", "/pass/code"):
        answer = client.get(path)
        assert answer.headers["Cache-Control"] == "no-store"
        assert "LL1:" not in answer.text
        assert not re.findall(r'(?:href|src|hx-get)="[^"]*(?:LL1|%3A)', answer.text)


def test_the_page_has_no_inline_script_or_style(people: People) -> None:
    page = people.client("resident").get("/pass").text
    assert " style=" not in page
    assert "<style" not in page
    assert not re.search(r"<script(?![^>]*src=)", page)
    assert not re.search(r"\son\w+=", page)


def test_the_name_is_masked(people: People) -> None:
    page = people.client("resident").get("/pass").text
    assert "李*明" in page
    assert "李小明" not in page


@pytest.mark.parametrize(
    ("who", "sentence"),
    [
        ("pending", "Your registration is being checked"),
        ("refused", "Your registration was refused"),
    ],
)
def test_who_has_no_pass_reads_why(world: World, people: People, who: str, sentence: str) -> None:
    client = people.client(who)
    page = client.get("/pass")
    assert sentence in page.text
    assert "qr-image" not in page.text
    assert client.get("/pass/code").status_code == 409
    with world.db.read() as session:
        assert not session.scalars(select(Pass)).all()


def test_a_refused_resident_reads_the_note(people: People) -> None:
    assert "资料与房本不符" in people.client("refused").get("/pass").text


def test_who_moved_out_has_no_code(world: World, people: People) -> None:
    client = people.client("resident")
    client.get("/pass")
    with world.db.write() as session:
        resident = session.get_one(Resident, world.residents["resident"])
        resident.residencies[0].until = world.clock().date()
    assert "You have no dwelling here" in client.get("/pass").text
    assert client.get("/pass/code").status_code == 409


def test_a_withdrawn_pass_is_not_replaced_by_looking_at_the_page(
    world: World, people: People
) -> None:
    client = people.client("resident")
    client.get("/pass")
    with world.db.write() as session:
        issued = session.scalars(select(Pass)).one()
        world.clock.forward(minutes=1)
        revoke(session, issued.id, world.clock(), "misuse")
    page = client.get("/pass")
    assert "Your pass has been withdrawn" in page.text
    assert client.get("/pass/code").status_code == 409
    with world.db.read() as session:
        assert len(session.scalars(select(Pass)).all()) == 1


def test_a_new_approval_gives_a_new_pass(world: World, people: People) -> None:
    client = people.client("resident")
    client.get("/pass")
    with world.db.write() as session:
        issued = session.scalars(select(Pass)).one()
        revoke(session, issued.id, world.clock(), "misuse")
        resident = session.get_one(Resident, world.residents["resident"])
        resident.state = ResidentState.APPROVED
        resident.decided_at = world.clock() + timedelta(minutes=5)
    world.clock.forward(minutes=6)
    assert "qr-image" in client.get("/pass").text


@pytest.mark.parametrize("who", [*(str(role) for role in Role), "far_worker", None])
def test_staff_and_strangers_have_no_pass_page(people: People, who: str | None) -> None:
    for path in ("/pass", "/pass/code"):
        assert people.client(who).get(path).status_code == (302 if who is None else 403)


def test_a_holder_is_found_for_residents_only(world: World) -> None:
    from portal.core.errors import NotFoundError

    with world.db.read() as session, pytest.raises(NotFoundError):
        own.holder(session, world.staff(Role.WORKER), world.clock())


def test_the_drawing_is_black_on_white_with_a_quiet_zone() -> None:
    text = "LL1:" + "A1$" * 60
    svg = str(qr_svg(text))
    size = segno.make(text, error="m", micro=False, boost_error=False).symbol_size(border=4)[0]
    assert f'viewBox="0 0 {size} {size}"' in svg
    assert "#fff" in svg
    assert "#000" in svg
    assert "style=" not in svg
