"""Importing codes and names: whole or not at all, every fault by its line, the second time nothing."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl import Workbook

from portal.core.audit import AuditEntry
from portal.core.errors import ConflictError
from portal.core.identifiers import uscc_with_check
from portal.core.identifiers.uscc import organisation_with_check
from portal.core.permissions import SYSTEM, Role
from portal.regions import importing, merging, tree
from portal.regions.models import Level
from portal.regions.sheets import LARGEST, FileError, faults_as_csv
from tests.portal.regions.conftest import CSV, NOW, County

USCC = uscc_with_check("55990101" + organisation_with_check("MDEM0001"))


def look(county: County, content: bytes | str, actor=SYSTEM) -> importing.Plan:
    data = content.encode() if isinstance(content, str) else content
    with county.db.read() as session:
        return importing.plan(session, actor, data)


def faults(county: County, text: str, actor=SYSTEM) -> list[tuple[int, str]]:
    return [(f.line, f.code) for f in look(county, text, actor).faults]


def test_a_tree_is_made_from_codes_and_names(county: County):
    county.whole()
    village = county.region("990101100200")
    assert village.level == Level.COMMUNITY
    assert village.key == "c990101100200"
    grid = county.region("99010100100101")
    assert grid.path.startswith(county.region("990101001001").path)


def test_the_second_import_changes_nothing(county: County):
    before = county.codes()
    plan = county.take(CSV)
    assert (plan.changes, plan.unchanged) == (0, 14)
    assert county.codes() == before


def test_a_look_writes_nothing(here: County):
    plan = look(here, "code,name\n990103,南城区\n990101001001,邻里示范社区\n")
    assert [line.code.text for line in plan.created] == ["990103000000"]
    assert [(old, new) for _, old, new in plan.renamed] == [("邻里社区", "邻里示范社区")]
    assert "990103000000" not in here.codes()


def test_new_names_and_regions_are_written_with_history_and_audit(county: County):
    county.take("code,name\n990101001001,邻里示范社区\n990101003,南街道\n990101003001,南一社区\n")
    county.whole()
    renamed = county.region("990101001001")
    with county.db.read() as session:
        (one,) = tree.history(session, renamed)
        entries = session.query(AuditEntry).filter_by(action="region.import").all()
    assert (one.change, one.from_name, one.to_name) == ("rename", "邻里社区", "邻里示范社区")
    assert entries[-1].detail["created"] == 2


def test_one_bad_line_keeps_all_out(county: County):
    before = county.codes()
    with pytest.raises(ConflictError):
        county.take("code,name\n990103,南城区\n990104,\n")
    assert county.codes() == before


def test_a_region_gets_a_new_number_by_its_previous_code_and_all_below_follows(county: County):
    county.take("code,name,previous code\n990102005000,演示街道,990101001000\n")
    county.whole()
    codes = county.codes()
    assert "990101001001" not in codes
    assert {"990102005000", "990102005001", "99010200500101"} <= set(codes)
    with county.db.read() as session:
        assert tree.find(session, "99010100100102").code == "99010200500102"
    again = county.take("code,name,previous code\n990102005000,演示街道,990101001000\n")
    assert again.changes == 0


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("code,name\n9901010010,坏\n", [(2, "code_length")]),
        ("code,name\n990101600000,坏镇\n", [(2, "code_township")]),
        ("code,name\n990101001001.5,坏\n", [(2, "code_digits")]),
        ("code,name\n,无码\n", [(2, "cell_empty")]),
        ("code,name\n990103,一\n990103,二\n", [(3, "duplicate")]),
        ("code,name\n980101,远区\n", [(2, "orphan")]),
        ("code,name,level\n990103,南城区,乡\n", [(2, "level_wrong")]),
        ("code,name,level\n990103,南城区,什么\n", [(2, "level_unknown")]),
        ("code,name,parent\n990103,南城区,990101\n", [(2, "parent_wrong")]),
        (
            "code,name,parent\n990103,甲,990104\n990104,乙,990103\n",
            [(2, "cycle"), (2, "parent_wrong"), (3, "cycle"), (3, "parent_wrong")],
        ),
        ("code,name,parent\n990103,甲,990103\n", [(2, "cycle"), (2, "parent_wrong")]),
        ('code,name\n990103,"=HYPERLINK(""x"")"\n', [(2, "cell_formula")]),
        ("code,name\n990103,@sum\n", [(2, "cell_formula")]),
        ("code,name\n990103,<b>区</b>\n", [(2, "cell_html")]),
        ("code,name\n990103,南\u202e城\n", [(2, "cell_control")]),
        ("code,name\n990103,南\x07城\n", [(2, "cell_control")]),
        (f"code,name\n990103,{'长' * 100}\n", [(2, "name_long")]),
        (f"code,name\n990103,{'长' * 300}\n", [(2, "cell_long")]),
        ("code,name\n990103,1234\n", [(2, "name_malformed")]),
        ("code,name,previous\n990103,南,990101001\n", [(2, "previous_level")]),
        ("code,name,previous\n990103,南,990199\n", [(2, "previous_unknown")]),
        (f"code,name,uscc\n990103,南城区,{USCC}\n", [(2, "uscc_level")]),
        ("code,name,uscc\n990101001001,邻里社区,123\n", [(2, "uscc_length")]),
        (f"code,name,uscc\n990101001001,邻里社区,{USCC[:-1]}0\n", [(2, "uscc_check_digit")]),
        (
            f"code,name,uscc\n990101001001,邻里社区,{USCC}\n990101001002,东苑社区,{USCC}\n",
            [(3, "uscc_taken")],
        ),
    ],
)
def test_what_is_wrong_is_said_by_its_line(here: County, text, expected):
    assert faults(here, text) == expected


def test_a_good_credit_code_is_taken(county: County):
    text = f"code,name,uscc\n990101001001,邻里社区,{USCC}\n"
    county.take(text)
    assert county.region("990101001001").uscc == USCC
    assert county.take(text).changes == 0


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("gbk", "GBK"), ("gb18030", "GB18030")],
)
def test_chinese_encodings_are_read_and_named(here: County, encoding, named):
    name = "南城区" + ("㐀𠀀" if encoding == "gb18030" else "")
    plan = look(here, f"代码,名称\n990103,{name}\n".encode(encoding))
    assert plan.encoding == named
    assert [line.name for line in plan.created] == [name]


def test_a_workbook_is_read_too(here: County):
    book = Workbook()
    book.active.append(["代码", "名称"])
    book.active.append([990103, "南城区"])
    book.active.append([990104.0, "=1+1"])
    out = io.BytesIO()
    book.save(out)
    plan = look(here, out.getvalue())
    assert plan.encoding == "XLSX"
    assert [(f.line, f.code) for f in plan.faults] == [(3, "cell_formula")]
    assert [line.code.text for line in plan.created] == ["990103000000"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file_empty"),
        (b"  \n", "file_empty"),
        (b"\xff\xfec\x00o\x00", "file_encoding"),
        (b"code,name\n\xff\xff\xff", "file_encoding"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "file_encoding"),
        (b"PK\x03\x04 not a workbook", "file_workbook"),
        (b"name\nx\n", "file_headings"),
        (b"code,code,name\n1,2,3\n", "file_heading_twice"),
        (b"code,name\n", "file_no_rows"),
        ("代码，名称\n99，省\n".encode(), "file_commas"),
        (b'code,name\n99,"open', "file_malformed"),
        (b"code,name\n99," + b"x" * (10 * 1024 * 1024), "file_large"),
        (b"code,name\n99," + b"x" * (LARGEST - 100), "file_malformed"),
        (b"code,name\n" + b"1,2\n" * 60_001, "file_rows"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_none_is_refused_as_a_whole(here: County, content, code):
    with pytest.raises(FileError) as raised:
        look(here, content)
    assert raised.value.code == code
    assert raised.value.field == "file"


def test_the_list_of_faults_cannot_run_as_a_formula(here: County):
    plan = look(here, "code,name\n990103,\"=cmd|' /C calc'!A0\"\n")
    rows = list(csv.reader(io.StringIO(faults_as_csv(plan.faults, "abcd").decode("utf-8-sig"))))
    assert rows[1][0] == "2"
    assert rows[1][3].startswith("'=")


def test_who_may_import_what(here: County):
    text = "code,name\n{},名字区\n"
    supervisor = here.actor(Role.SUPERVISOR, "990101000000")
    street = here.actor(Role.SUPERVISOR, "990101001000")
    for actor, code, good in [
        (supervisor, "990101003000", True),
        (supervisor, "990101001003", True),
        (supervisor, "990101001001", True),
        (supervisor, "990101000000", False),
        (supervisor, "990102001000", False),
        (street, "990101001003", False),
        (here.admin, "990103000000", True),
        (here.admin, "980000000000", False),
    ]:
        found = faults(here, text.format(code), actor)
        assert found == ([] if good else [(2, "forbidden")]), code


def test_a_code_given_up_is_not_given_out_again(county: County):
    with county.db.write() as session:
        merging.merge(
            session,
            SYSTEM,
            county.region("990101001002").id,
            county.region("990101001001").id,
            "撤并",
            NOW,
        )
    assert faults(county, "code,name\n990101001002,东苑社区\n") == [(2, "code_former")]


def test_the_chain_is_mended_when_a_missing_level_comes(here: County):
    with here.db.write() as session:
        village = tree.find(session, "990101100200")
        county = tree.find(session, "990101")
        village.parent_id, village.path = county.id, f"{county.path}{village.id}/"
    plan = here.take("code,name\n990101100200,清水村\n990101100000,清水镇\n")
    assert [region.name for region, _ in plan.moved] == ["清水村"]
    here.whole()


cells = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["990103", "990101001003", "990101", "南城区", "=1", "", "\x00", '"']),
)


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.lists(cells, max_size=4), max_size=6))
def test_whatever_a_file_holds_it_is_a_plan_or_a_sentence(here: County, rows):
    out = io.StringIO()
    csv.writer(out).writerows([["code", "name", "parent", "previous"], *rows])
    try:
        found = [
            (f.line, f.sentence)
            for f in look(here, out.getvalue().encode("utf-8", "replace")).faults
        ]
    except FileError as error:
        found = [(2, error.message)]
    assert all(line >= 2 and str(sentence) for line, sentence in found)
