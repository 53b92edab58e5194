"""Opening data: all or nothing, every fault at once, the same again without a change."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

import pytest
import sqlalchemy as sa
from openpyxl import Workbook
from sqlalchemy.orm import Session

from school_portal.models import BodyProject, EvaluationLine, Permission, School, Specialty
from school_portal.services import opening
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from tests.factories.opening import COLLEGE, SCHOOL, Rows, running, workbook
from tests.factories.operation import uscc

CONSOLE = Actor.operator_at_the_console()


def load(session: Session, portal: Portal, rows: Rows) -> opening.Loaded:
    loaded = opening.load(session, portal, CONSOLE, workbook(rows))
    session.commit()
    return loaded


def sizes(session: Session) -> list[int]:
    return [
        session.scalars(sa.select(sa.func.count()).select_from(model)).one()
        for model in (School, Specialty, BodyProject, EvaluationLine, Permission)
    ]


def test_a_running_operation_is_taken_over_and_again_changes_nothing(
    session: Session, portal: Portal
) -> None:
    assert load(session, portal, running()).issues == []
    assert sizes(session) == [2, 3, 4, 2, 2]
    assert load(session, portal, running()).is_done
    assert sizes(session) == [2, 3, 4, 2, 2]


def changed(sheet: str, row: int, column: int, value: str) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        line = list(rows[sheet][row])
        line[column] = value
        rows[sheet][row] = line

    return change


@pytest.mark.parametrize(
    ("change", "sheet", "row", "column"),
    [
        (changed("学校", 0, 0, "91310000000000001X"), "学校", 2, "统一社会信用代码"),
        (changed("学校", 0, 1, ""), "学校", 2, "学校名称"),
        (changed("学校", 0, 4, "本科"), "学校", 2, "培养层次"),
        (changed("学校", 0, 6, "2025-02-30"), "学校", 2, "开户日期"),
        (changed("学校", 1, 5, "KEY@SF1"), "学校", 3, "keyID"),
        (changed("专业", 0, 3, "高职"), "专业", 2, "培养层次"),
        (changed("专业", 0, 0, uscc(77)), "专业", 2, "学校代码"),
        (changed("评价机构", 0, 2, "协会"), "评价机构", 2, "机构类型"),
        (changed("评价机构", 0, 6, "2024-12-31"), "评价机构", 2, "备案止"),
        (changed("评价项目", 0, 0, uscc(78)), "评价项目", 2, "机构代码"),
        (changed("评价项目", 0, 4, "6、5"), "评价项目", 2, "等级"),
        (changed("评估结论", 0, 1, "999999"), "评估结论", 2, "专业代码"),
        (changed("评估结论", 1, 8, ""), "评估结论", 3, "培养层次"),
        (changed("评估结论", 0, 3, "调酒师"), "评估结论", 2, "职业名称"),
        (changed("申报权限", 0, 6, "3"), "申报权限", 2, "等级"),
        (changed("申报权限", 0, 2, ""), "申报权限", 2, "节点"),
        (changed("申报权限", 1, 2, "用人单位等级认定"), "申报权限", 3, "节点"),
        (changed("校企合作", 0, 1, uscc(79)), "校企合作", 2, "机构代码"),
    ],
)
def test_a_fault_is_told_by_sheet_row_and_column_and_nothing_is_loaded(
    session: Session,
    portal: Portal,
    change: Callable[[Rows], None],
    sheet: str,
    row: int,
    column: str,
) -> None:
    rows = running()
    change(rows)
    loaded = load(session, portal, rows)
    assert (sheet, row, column) in {(one.sheet, one.row, one.column) for one in loaded.issues}
    assert not loaded.is_done
    assert sizes(session) == [0, 0, 0, 0, 0]


def test_all_faults_come_at_once(session: Session, portal: Portal) -> None:
    rows = running()
    for change in (changed("学校", 0, 1, ""), changed("申报权限", 0, 6, "3")):
        change(rows)
    loaded = load(session, portal, rows)
    assert [one.sheet for one in loaded.issues] == ["学校", "申报权限"]


def test_the_highest_training_level_sets_a_schools_cap(session: Session, portal: Portal) -> None:
    rows = running()
    line = (
        COLLEGE,
        "职业技能等级认定",
        "社会评价组织等级认定",
        "4-03-02-10",
        "调饮师",
        "",
        "2",
        "",
        "",
    )
    rows["申报权限"].append(line)
    assert [one.row for one in load(session, portal, rows).issues] == [4]


def test_a_sheet_may_hold_its_header_only_and_what_holds_nothing_at_all_says_so(
    session: Session, portal: Portal
) -> None:
    rows = running()
    rows["校企合作"] = []
    assert load(session, portal, rows).issues == []
    loaded = load(session, portal, {})
    assert loaded.is_done
    assert [(one.severity, one.message) for one in loaded.issues] == [
        ("warning", "工作表“期初数据”：所有工作表都没有数据，没有载入任何内容。")
    ]


def hide(name: str) -> Callable[[Workbook], object]:
    def change(book: Workbook) -> None:
        book[name].sheet_state = "hidden"

    return change


def leave_out(name: str) -> Callable[[Workbook], object]:
    return lambda book: book.remove(book[name])


def put(name: str, place: str, value: str) -> Callable[[Workbook], object]:
    def change(book: Workbook) -> None:
        sheet = book[name] if name in book else book.create_sheet(name)
        sheet[place] = value

    return change


@pytest.mark.parametrize(
    ("change", "sheet", "severity", "said"),
    [
        (hide("申报权限"), "申报权限", "error", "已隐藏，其中 2 行没有读取"),
        (leave_out("学校"), "学校", "error", "工作簿中没有这张表"),
        (leave_out("申报权限"), "申报权限", "warning", "工作簿中没有这张表"),
        (put("评价项目", "F1", "评价依据 "), "评价项目", None, ""),
        (put("评价项目", "F1", "依据"), "评价项目", "warning", "没有读取：依据；"),
        (put("评价机构", "J1", "keyID"), "评价机构", "warning", "没有读取：keyID；"),
        (put("校企合作", "F2", "见备注"), "校企合作", "warning", "第 6 列（没有表头）"),
        (put("考核点", "A2", SCHOOL), "考核点", "warning", "其中 1 行没有读取"),
        (put("考核点", "A1", "机构代码"), "考核点", None, ""),
        (put("评估结果", "A1", "学校代码"), "评估结果", "error", "不是期初数据的工作表"),
    ],
)
def test_what_is_not_read_is_told_by_name(
    session: Session,
    portal: Portal,
    change: Callable[[Workbook], object],
    sheet: str,
    severity: str | None,
    said: str,
) -> None:
    loaded = opening.load(session, portal, CONSOLE, workbook(running(), change))
    session.commit()
    told = [(one.severity, one.message) for one in loaded.issues if one.sheet == sheet]
    if severity is None:
        assert loaded.issues == []
    else:
        assert any(one == severity and said in message for one, message in told)
    assert loaded.is_done is (severity != "error")
    assert (sizes(session)[0] > 0) is loaded.is_done


def test_a_hidden_sheet_without_data_and_one_of_another_name_do_no_harm(
    session: Session, portal: Portal
) -> None:
    def change(book: Workbook) -> None:
        book["校企合作"].sheet_state = "hidden"
        book.create_sheet("选项").append(["中职"])
        book["选项"].sheet_state = "hidden"

    rows = running()
    rows["校企合作"] = []
    assert opening.load(session, portal, CONSOLE, workbook(rows, change)).issues == []
    session.commit()


def test_what_is_no_workbook_is_refused(session: Session, portal: Portal) -> None:
    assert not opening.load(session, portal, CONSOLE, BytesIO(b"\0\1\2")).is_done


def test_a_key_of_another_account_is_refused(session: Session, portal: Portal) -> None:
    load(session, portal, running())
    rows: Rows = {"学校": [(uscc(5), "示例三校", "", "", "中职", "KEY@SF1", "")]}
    assert [one.column for one in load(session, portal, rows).issues] == ["keyID"]
