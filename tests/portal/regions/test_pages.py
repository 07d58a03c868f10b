"""Pages of regions: who may open and do what, what they say, in both languages."""

from __future__ import annotations

import io
import re

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from portal.accounts.operations import create_staff
from portal.core.audit import AuditEntry
from portal.core.identifiers import uscc_with_check
from portal.core.identifiers.uscc import organisation_with_check
from portal.core.permissions import SYSTEM, Permission, Role
from portal.regions import importing, merging, tree, uploads
from portal.regions.models import Dwelling, Region, RegionUpload
from tests.portal.cast import PASSWORD, TOTP, USCC, Person, Town

COMMUNITY = "110105001001"
OTHER = "110105001002"
TOWNSHIP = "110105001000"
COUNTY = "110105000000"
NEW_USCC = uscc_with_check("52110105" + organisation_with_check("MJ099999"))
EARLY = NEW_USCC[:-1] + ("0" if NEW_USCC[-1] != "0" else "1")


@pytest.fixture
def staffed(town: Town) -> Town:
    """The town with a system administrator of the county and a supervisor of the street."""
    with town.db.write() as session:
        for name, role, where in [
            ("admin", Role.SYSTEM_ADMIN, "county"),
            ("street", Role.SUPERVISOR, "township"),
        ]:
            user = create_staff(
                session,
                username=name,
                password=PASSWORD,
                roles=[(role, town.ids[where])],
                now=town.clock(),
                totp_secret=TOTP,
            )
            town.ids[f"user:{name}"] = user.id
    return town


CAST = (
    "outsider",
    "resident",
    "neighbour",
    "distant",
    "worker",
    "gatekeeper",
    "manager",
    "street",
    "supervisor",
    "auditor",
    "admin",
)
# For each page: who gets 200, in the order of the cast; 3 sign-in, . forbidden, - not found, x there.
PAGES = {
    "/work/regions": "3..xxxxxx.x",
    f"/work/regions/{COMMUNITY}": "3..-xxxxx.x",
    f"/work/regions/{COMMUNITY}/children": "3..-xxxxx.x",
    f"/work/regions/{COUNTY}": "3..-----x.x",
    f"/work/regions/{COMMUNITY}/buildings": "3..-xxxxx.x",
    f"/work/regions/{COMMUNITY}/generate": "3..-..xxx.x",
    f"/work/regions/{COMMUNITY}/dwellings": "3..-..xxx.x",
    f"/work/regions/{COMMUNITY}/settings": "3..-..xxx.x",
    f"/work/regions/{COMMUNITY}/rename": "3..-....x.x",
    f"/work/regions/{COMMUNITY}/merge": "3..-....x.x",
    f"/work/regions/{COMMUNITY}/split": "3..-....x.x",
    f"/work/regions/{COMMUNITY}/credit-code": "3..-....x.x",
    f"/work/regions/{COUNTY}/rename": "3..-----..x",
    "/work/regions/import": "3.......x.x",
}
STATUS = {"3": 302, ".": 403, "-": 404, "x": 200}


def test_the_truth_table_of_pages(staffed: Town) -> None:
    wrong = []
    for who, place in zip(CAST, range(len(CAST)), strict=True):
        person = staffed.person(who)
        for path, row in PAGES.items():
            status = person.get(path).status_code
            if status != STATUS[row[place]]:
                wrong.append((who, path, status))
    assert wrong == []


def test_the_truth_table_of_acts(staffed: Town) -> None:
    acts = {
        f"/work/regions/{COMMUNITY}/rename": {"name": "新名", "reason": "更名"},
        f"/work/regions/{COMMUNITY}/merge": {"target": OTHER, "reason": "撤并"},
        f"/work/regions/{COMMUNITY}/credit-code": {"uscc": NEW_USCC},
        "/work/regions/import": {},
        f"/work/regions/{COMMUNITY}/settings": {
            "key": "visitors.most_open",
            "visitors-most_open-value": "3",
            "act": "set",
        },
        f"/work/regions/{COMMUNITY}/generate": {"building": "{n}"},
        f"/work/regions/{COMMUNITY}/buildings": {"building": "1", "grid": ""},
    }
    for who in ("outsider", "resident", "distant", "worker", "gatekeeper", "auditor"):
        person = staffed.person(who)
        for path, data in acts.items():
            status = person.post(path, data).status_code
            assert status in ({302} if who == "outsider" else {403, 404}), (who, path, status)
    with staffed.db.read() as session:
        region = tree.find(session, COMMUNITY)
        assert (region.name, region.uscc) == ("翠湖社区", USCC)


def test_the_tree_shows_tops_and_brings_children_when_opened(staffed: Town) -> None:
    worker, supervisor = staffed.person("worker"), staffed.person("supervisor")
    page = worker.get("/work/regions").text
    assert "翠湖社区" in page
    assert "东苑社区" not in page
    assert f"/work/regions/{COUNTY}/children" in supervisor.get("/work/regions").text
    branch = supervisor.get(f"/work/regions/{COUNTY}/children").text
    assert "安和街道" in branch
    assert f"/work/regions/{TOWNSHIP}/children" in branch


def test_search_finds_names_codes_and_what_they_were_and_nothing_of_others(staffed: Town) -> None:
    supervisor, worker = staffed.person("supervisor"), staffed.person("worker")
    assert "东苑社区" in supervisor.get("/work/regions?q=东苑").text
    assert "东苑社区" in supervisor.get("/work/regions?q=110105001002").text
    assert "Nothing found" in worker.get("/work/regions?q=东苑").text
    assert "Nothing found" in supervisor.get("/work/regions?q=100%25").text
    short = supervisor.get("/work/regions?q=东")
    assert short.status_code == 422
    assert "2 to 40 characters" in short.text


def test_a_region_is_renamed_with_history_and_audit(staffed: Town) -> None:
    person = staffed.person("admin")
    path = f"/work/regions/{COMMUNITY}/rename"
    wrong = person.post(path, {"name": "<b>", "reason": ""})
    assert wrong.status_code == 422
    assert "marks of HTML" in wrong.text
    answer = person.post(path, {"name": "翠湖东社区", "reason": "民政局批复"})
    assert answer.status_code == 302
    page = person.get(answer.location).text
    assert "翠湖社区 → 翠湖东社区" in page
    assert "民政局批复" in page
    assert "翠湖东社区" in person.get("/work/regions?q=翠湖社区").text
    with staffed.db.read() as session:
        entry = session.query(AuditEntry).filter_by(action="region.rename").one()
    assert "翠湖" not in str(entry.detail)


def test_a_merger_is_looked_at_first_and_the_old_code_leads_on(staffed: Town) -> None:
    person = staffed.person("admin")
    path = f"/work/regions/{OTHER}/merge"
    assert "翠湖社区" in person.get(path).text
    assert "There is no region of this code." in person.get(f"{path}?other=999999").text
    assert "same level" in person.get(f"{path}?target={TOWNSHIP}").text
    look = person.get(f"{path}?target={COMMUNITY}").text
    assert re.search(r"<dt>Residents</dt><dd>1</dd>", look)
    assert re.search(r"<dt>Dwellings</dt><dd>16</dd>", look)
    assert "东苑社区1号楼" in look
    assert person.post(path, {"target": COMMUNITY, "reason": ""}).status_code == 422
    done = person.post(path, {"target": COMMUNITY, "reason": "撤并"})
    assert done.location.endswith(COMMUNITY)
    old = person.get(f"/work/regions/{OTHER}")
    assert old.status_code == 302
    assert "leads here now" in person.get(old.location).text


def test_a_split_is_looked_at_first(staffed: Town) -> None:
    person = staffed.person("admin")
    path = f"/work/regions/{COMMUNITY}/split"
    building = staffed.ids["community:building"]
    form = {
        "name": "翠湖南社区",
        "code": "110105001003",
        "reason": "析置",
        "members": [f"b{building}"],
    }
    wrong = person.post(path, {**form, "members": [], "code": OTHER})
    assert wrong.status_code == 422
    assert "is or was used" in wrong.text
    look = person.post(path, form)
    assert "This would move to 翠湖南社区" in look.text
    assert "checked" in look.text
    done = person.post(path, {**form, "confirmed": "yes"})
    assert done.location.endswith("110105001003")
    assert "翠湖社区" in person.get(done.location).text


def test_a_credit_code_is_checked_and_an_early_one_taken_by_the_administrator(
    staffed: Town,
) -> None:
    admin, supervisor = staffed.person("admin"), staffed.person("supervisor")
    path = f"/work/regions/{COMMUNITY}/credit-code"
    assert "does not fit the others" in admin.post(path, {"uscc": EARLY}).text
    assert "few words why" in admin.post(path, {"uscc": EARLY, "override": "y"}).text
    early = {"uscc": EARLY, "override": "y", "reason": "证书如此"}
    assert supervisor.post(path, early).status_code == 403
    assert admin.post(path, early).status_code == 302
    with staffed.db.read() as session:
        assert session.query(AuditEntry).filter_by(action="region.uscc_override").count() == 1
        assert session.get(Region, staffed.ids["community"]).uscc == EARLY
    assert (
        "Another community"
        in admin.post(
            f"/work/regions/{OTHER}/credit-code", {"uscc": EARLY, "override": "y", "reason": "证书"}
        ).text
    )
    assert supervisor.post(path, {"uscc": NEW_USCC}).status_code == 302
    # Posters that hang with the first code still open registration.
    assert staffed.person().get(f"/r/{USCC}").status_code == 200


def upload(person: Person, path: str, content: bytes, name: str = "a.csv"):
    answer = person.post(
        path,
        {"file": (io.BytesIO(content), name)},
        content_type="multipart/form-data",
    )
    answer.request.environ["wsgi.input"].close()  # a large one lies in a file
    return answer


def test_codes_are_imported_after_a_look(staffed: Town) -> None:
    person = staffed.person("admin")
    text = f"代码,名称\n{COMMUNITY},翠湖东社区\n110105001009,新社区\n"
    answer = upload(person, "/work/regions/import", text.encode("gbk"))
    assert answer.status_code == 302
    page = person.get(answer.location).text
    assert "Read as GBK" in page
    assert "翠湖东社区" in page
    assert "新社区" in page
    assert person.post(answer.location).status_code == 302
    after = person.get(answer.location).text
    assert "Applied" in after
    with staffed.db.read() as session:
        assert tree.find(session, "110105001009").name == "新社区"
    person.post(answer.location)
    assert "applied already" in person.get("/work/regions").text
    again = upload(person, "/work/regions/import", text.encode())
    assert "is in the tree already" in person.get(again.location).text


def test_faults_are_listed_and_downloaded_in_the_language_of_the_page(staffed: Town) -> None:
    text = "代码,名称\n110105001009,=1+1\n11010500100,短码\n"
    for language, sentence in [("en", "would be a formula"), ("zh_Hans_CN", "否则会被当成公式")]:
        person = staffed.person("admin", language)
        where = upload(person, "/work/regions/import", text.encode()).location
        page = person.get(where).text
        assert sentence in page
        assert f"{where}" in page
        assert ">Apply<" not in page
        file = person.get(f"{where}/faults.csv")
        assert file.mimetype == "text/csv"
        assert sentence in file.data.decode("utf-8-sig")
        assert person.post(where).status_code == 302
    with staffed.db.read() as session:
        assert tree.find(session, "110105001009") is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "The file is empty."),
        (b"\x00\x01\x02", "no CSV in UTF-8 or GBK"),
        (b"code\n1\n", "missing: Name of the region"),
        (b"x" * (3 * 1024 * 1024 + 5), "larger than 3 MB"),
    ],
)
def test_a_file_that_is_none_is_refused_beside_the_field(
    staffed: Town, content: bytes, sentence: str
) -> None:
    answer = upload(staffed.person("admin"), "/work/regions/import", content)
    assert answer.status_code == 422
    assert sentence in answer.text


def test_an_upload_is_its_owners_and_lives_a_day(staffed: Town) -> None:
    admin = staffed.person("admin")
    where = upload(admin, "/work/regions/import", b"code,name\n110105001009,xx\n").location
    assert staffed.person("supervisor").get(where).status_code == 404
    staffed.clock.now += uploads.LIFE * 1.01
    admin = staffed.person("admin")  # nobody stays signed in for so long
    assert admin.get(where).status_code == 404
    upload(admin, "/work/regions/import", b"code,name\n110105001009,xx\n")
    with staffed.db.read() as session:
        assert session.scalar(select(func.count()).select_from(RegionUpload)) == 1
    staffed.clock.now -= uploads.LIFE * 1.01


def test_dwellings_are_imported_by_the_manager(staffed: Town) -> None:
    person = staffed.person("manager")
    text = "building,unit,floor,number\n3号楼,1单元,1,101\n3号楼,1单元,1,102\n"
    where = upload(person, f"/work/regions/{COMMUNITY}/dwellings", text.encode()).location
    assert "New dwellings" in person.get(where).text
    person.post(where)
    assert "Applied" in person.get(where).text
    assert "3号楼" in person.get(f"/work/regions/{COMMUNITY}/buildings").text


def test_dwellings_are_generated_after_a_look(staffed: Town) -> None:
    person = staffed.person("manager")
    path = f"/work/regions/{COMMUNITY}/generate"
    form = {
        "building": "{n}号楼",
        "first": "1",
        "last": "3",
        "unit": "{n}单元",
        "units": "2",
        "floors": "2",
        "doors": "2",
        "number": "{floor}{door:2}",
    }
    wrong = person.post(path, {**form, "floors": "many", "unit": "{x}"})
    assert wrong.status_code == 422
    assert "from 1 to 80" in wrong.text
    assert 'value="many"' in wrong.text
    look = person.post(path, form).text
    assert re.search(r"<dt>New dwellings</dt><dd>8</dd>", look)
    assert re.search(r"<dt>There already</dt><dd>16</dd>", look)
    assert person.post(path, {**form, "confirmed": "yes"}).status_code == 302
    with staffed.db.read() as session:
        assert (
            session.scalar(
                select(func.count())
                .select_from(Dwelling)
                .where(Dwelling.community_id == staffed.ids["community"])
            )
            == 24
        )


def test_settings_say_where_they_come_from_and_what_may_be_done(staffed: Town) -> None:
    admin, manager = staffed.person("admin"), staffed.person("manager")
    form = {"key": "visitors.most_open", "act": "set"}
    field = "visitors-most_open-value"
    assert admin.post(f"/work/regions/{COUNTY}/settings", {**form, field: "5"}).status_code == 302
    path = f"/work/regions/{COMMUNITY}/settings"
    assert "from 朝阳区" in manager.get(path).text
    for typed, sentence in [("8", "no more than its own"), ("x", "from 1 to 100")]:
        wrong = manager.post(path, {**form, field: typed})
        assert wrong.status_code == 422
        assert sentence in wrong.text
        assert f'value="{typed}"' in wrong.text
    assert manager.post(path, {**form, field: "2"}).status_code == 302
    assert "set here" in manager.get(path).text
    admin.post(f"/work/regions/{COUNTY}/settings", {**form, field: "1"})
    assert "does not count" in manager.get(path).text
    assert manager.post(path, {**form, "act": "clear"}).status_code == 302
    assert "does not count" not in manager.get(path).text
    switch = {"key": "visitors.automatic", "act": "set", "visitors-automatic-value": "on"}
    assert manager.post(path, switch).status_code == 302
    with staffed.db.read() as session:
        assert session.query(AuditEntry).filter_by(action="region.setting").count() == 5


def test_a_page_names_a_region_the_reader_may_not_see_no_more(staffed: Town) -> None:
    page = staffed.person("worker").get(f"/work/regions/{COMMUNITY}").text
    assert "安和街道" not in page


def test_only_who_may_do_it_is_offered_it(staffed: Town) -> None:
    path = f"/work/regions/{COMMUNITY}"
    worker, admin = staffed.person("worker").get(path).text, staffed.person("admin").get(path).text
    for what in ("rename", "merge", "split", "credit-code", "settings"):
        assert f"{path}/{what}" in admin
        assert f"{path}/{what}" not in worker
    assert "/work/regions" in staffed.person("manager").get("/work").text


def _merge(session: Session, town: Town) -> None:
    merging.merge(session, SYSTEM, town.ids["other"], town.ids["community"], "撤并", town.clock())


def test_an_act_never_falls_on_what_a_code_has_become(staffed: Town) -> None:
    person = staffed.person("admin")
    with staffed.db.write() as session:
        _merge(session, staffed)
        importing.apply(
            session, SYSTEM, "code,name\n110105001007,新社区\n".encode(), staffed.clock()
        )
    for what, data in [
        ("merge", {"target": "110105001007", "reason": "撤并"}),
        ("rename", {"name": "别名", "reason": "更名"}),
        ("credit-code", {"uscc": NEW_USCC}),
        ("settings", {"key": "visitors.most_open", "act": "set", "visitors-most_open-value": "1"}),
        ("buildings", {"building": "1", "grid": ""}),
    ]:
        answer = person.post(f"/work/regions/{OTHER}/{what}", data)
        assert answer.status_code == 409, what
        assert "merged or renumbered" in answer.text
    with staffed.db.read() as session:
        assert session.get(Region, staffed.ids["community"]).name == "翠湖社区"


def test_paths_of_grants_follow_a_merger(staffed: Town) -> None:
    with staffed.db.write() as session:
        _merge(session, staffed)
    assert staffed.actor("distant").paths(Permission.RESIDENT_LIST) == staffed.actor(
        "worker"
    ).paths(Permission.RESIDENT_LIST)
