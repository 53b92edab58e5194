"""One row: what is read, and every code with its place."""

from datetime import date, datetime, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_portal.domain.identifiers import DocumentType, Sex
from school_portal.domain.levels import Level, TrainingLevel
from school_portal.domain.roster import Enrolment, Route, StudyMode
from tests.files.hostile import rezipped
from tests.files.rosters import BODY, number, student, table, text, xlsx
from tests.unit.importers.reading import check, read

ROW = 2


def test_a_row_with_the_required_columns_alone() -> None:
    (row,) = check().rows
    assert (row.row, row.student_no, row.name) == (2, "20240001", "示例1")
    assert (row.document_type, row.document_number) == (DocumentType.RESIDENT_ID, number(1))
    assert (row.sex, row.birth_date) == (Sex.MALE, date(2008, 1, 2))
    assert (row.training_level, row.specialty_code) == (TrainingLevel.SECONDARY, "710201")
    assert (row.enrolment_status, row.study_mode) == (Enrolment.ENROLLED, StudyMode.FULL_TIME)
    assert row.graduates_on == date(2027, 6, 30)
    assert (row.wish.route, row.wish.level, row.wish.body) == (Route.SKILL_LEVEL, None, None)


@pytest.mark.parametrize(
    ("changed", "column", "code"),
    [
        ({"学号": ""}, "学号", "cell.required"),
        ({"姓名": "　"}, "姓名", "cell.required"),
        ({"证件号码": ""}, "证件号码", "cell.required"),
        ({"手机号码": ""}, "手机号码", "cell.required"),
        ({"毕业年月": ""}, "毕业年月", "cell.required"),
        ({"专业名称": "", "专业代码": "710201"}, "专业名称", "cell.required"),
        ({"姓名": "长" * 61}, "姓名", "cell.too-long"),
        ({"班级": "班" * 61}, "班级", "cell.too-long"),
        ({"姓名": "=1+1"}, "姓名", "cell.formula"),
        ({"性别": "=1+1"}, "性别", "cell.formula"),
        ({"姓名": "张\ue000"}, "姓名", "cell.characters"),
        ({"姓名": "张\ufffd"}, "姓名", "cell.characters"),
        ({"班级": "\U000f0001班"}, "班级", "cell.characters"),
        ({"证件号码": int(number(1, "20080103")[:17] + "0")}, "证件号码", "cell.id-precision-lost"),
        (
            {"证件号码": 12345678, "证件类型": "台湾居民来往大陆通行证"},
            "证件号码",
            "cell.id-precision-lost",
        ),
        ({"证件号码": "3.10104E+17"}, "证件号码", "cell.id-precision-lost"),
        ({"证件号码": "３.１E＋１７"}, "证件号码", "cell.id-precision-lost"),
        ({"学号": 3101042008010112345}, "学号", "cell.id-precision-lost"),
        ({"证件号码": "31010420080102"}, "证件号码", "cell.id-format"),
        ({"证件号码": number(1, "20080230")}, "证件号码", "cell.id-format"),
        ({"证件号码": number(1)[:17] + "Y"}, "证件号码", "cell.id-format"),
        ({"出生日期": "2008-01-03"}, "出生日期", "cell.birth-date-mismatch"),
        ({"性别": "女"}, "性别", "cell.sex-mismatch"),
        ({"手机号码": "12800000001"}, "手机号码", "cell.mobile"),
        ({"手机号码": "021-62345678"}, "手机号码", "cell.mobile"),
        ({"毕业年月": "2027-13"}, "毕业年月", "cell.date"),
        ({"毕业年月": 2027.1}, "毕业年月", "cell.date"),
        ({"毕业年月": 46568}, "毕业年月", "cell.date"),
        ({"毕业年月": time(3, 4)}, "毕业年月", "cell.date"),
        ({"入学年月": "去年"}, "入学年月", "cell.date"),
        ({"出生日期": "2008-01"}, "出生日期", "cell.date"),
        ({"出生日期": "2030-01-01"}, "出生日期", "cell.date"),
        ({"申报等级": "六级"}, "申报等级", "cell.level"),
        ({"培养层次": "本科"}, "培养层次", "cell.training-level"),
        ({"培养层次": "高职"}, "培养层次", "cell.training-level"),
        ({"专业名称": "机电一体化技术"}, "培养层次", "cell.training-level"),
        ({"证件类型": "驾照"}, "证件类型", "cell.choice"),
        ({"性别": "未知"}, "性别", "cell.choice"),
        ({"学籍状态": "在读"}, "学籍状态", "cell.choice"),
        ({"学习形式": "函授"}, "学习形式", "cell.choice"),
        ({"申报事项": "鉴定"}, "申报事项", "cell.choice"),
        ({"专业名称": "天文"}, "专业名称", "cell.specialty-unknown"),
        ({"专业代码": "999999"}, "专业代码", "cell.specialty-unknown"),
        ({"专业代码": "740201"}, "专业代码", "cell.specialty-unknown"),
        ({"专业名称": "烹饪"}, "专业名称", "cell.specialty-unknown"),
        ({"申报职业": "炼金师"}, "申报职业", "cell.occupation-unknown"),
        ({"职业编码": "9-99-99-99"}, "职业编码", "cell.occupation-unknown"),
        ({"职业编码": "4-03-02-10", "申报职业": "计量员"}, "申报职业", "cell.occupation-unknown"),
        ({"申报职业": "调饮师", "申报工种": "茶"}, "申报工种", "cell.occupation-unknown"),
        ({"申报职业": "计量员"}, "申报工种", "cell.occupation-unknown"),
        ({"申报工种": "碳排放监测员"}, "申报工种", "cell.occupation-unknown"),
        ({"评价机构": "无名"}, "评价机构", "cell.body-unknown"),
    ],
)
def test_an_error_and_its_place(changed: dict[str, Any], column: str, code: str) -> None:
    outcome = check(**changed)
    assert outcome.places == [(ROW, column, code)]
    assert outcome.rows == []
    assert [row.row for row in outcome.rejected] == [ROW]


def test_a_wrong_check_character() -> None:
    wrong = number(1)[:17] + ("1" if number(1)[17] != "1" else "2")
    outcome = check(证件号码=wrong, 出生日期="2001-01-01", 性别="女")
    # The number is itself wrong: nothing is compared with it.
    assert outcome.places == [(ROW, "证件号码", "cell.id-checksum")]


def test_all_issues_of_a_row_at_once_in_the_order_of_columns() -> None:
    outcome = check(姓名="", 手机号码="1", 毕业年月="x", 性别="?", 申报等级="七")
    assert [column for _, column, _ in outcome.places] == [
        "姓名",
        "性别",
        "手机号码",
        "毕业年月",
        "申报等级",
    ]


@pytest.mark.parametrize(
    "changed",
    [
        {"证件号码": number(1)[:17] + "5"},
        {"姓名": "示例", "毕业年月": number(1)},
        {"评价机构": number(1)},
        {"性别": number(1)},
        {"专业名称": "".join(chr(ord(digit) + 0xFEE0) for digit in number(1))},
        {"出生日期": f"{number(1)[:6]} {number(1)[6:]}"},
        {"手机号码": f"+86{number(1)}"},
        {"班级": number(1) + "\ue000"},
    ],
)
def test_no_message_holds_a_whole_document_number(changed: dict[str, Any]) -> None:
    issues = check(**changed).issues
    assert issues
    for one in issues:
        folded = one.message.replace(" ", "")
        assert number(1) not in folded
        assert number(1)[6:14] not in folded


@pytest.mark.parametrize(
    ("changed", "attribute", "value"),
    [
        ({"姓名": " 买买提·示例　"}, "name", "买买提·示例"),
        ({"姓名": "𠮷田㐱"}, "name", "𠮷田㐱"),
        ({"姓名": "Ａnna示例"}, "name", "Ａnna示例"),
        ({"学号": 20240007}, "student_no", "20240007"),
        ({"学号": "２０２４ ０００８"}, "student_no", "20240008"),
        ({"手机号码": 13812345678}, "mobile", "13812345678"),
        ({"手机号码": "+86 138-1234-5678"}, "mobile", "13812345678"),
        (
            {"证件号码": f" {number(1)}　"},
            "document_number",
            number(1),
        ),
        ({"专业代码": 710201}, "specialty_code", "710201"),
        ({"专业名称": "计算机 应用"}, "specialty_name", "计算机应用"),
        ({"入学年月": "2024.9"}, "entered_on", "2024-09"),
        ({"入学年月": date(2024, 9, 1)}, "entered_on", "2024-09-01"),
        ({"毕业年月": datetime.fromisoformat("2027-06-15")}, "graduates_on", date(2027, 6, 15)),
        ({"毕业年月": 202706}, "graduates_on", date(2027, 6, 30)),
        ({"毕业年月": 2027.6}, "graduates_on", date(2027, 6, 30)),
        ({"毕业年月": 20270615}, "graduates_on", date(2027, 6, 15)),
        ({"学籍状态": "休学"}, "enrolment_status", Enrolment.SUSPENDED),
        ({"学习形式": "非全日制"}, "study_mode", StudyMode.PART_TIME),
        ({"民族": "汉族"}, "ethnicity", "汉族"),
        ({"专业名称": "烹饪", "培养层次": "高职"}, "specialty_code", "540201"),
        ({"专业名称": "烹饪", "专业代码": "740201"}, "training_level", TrainingLevel.SECONDARY),
        (
            {"专业名称": "机电一体化技术", "培养层次": "高职"},
            "training_level",
            TrainingLevel.HIGHER,
        ),
    ],
)
def test_a_value_as_it_is_kept(changed: dict[str, Any], attribute: str, value: object) -> None:
    (row,) = check(**changed).rows
    assert getattr(row, attribute) == value


@pytest.mark.parametrize(
    ("changed", "attribute", "value"),
    [
        ({"申报事项": "职业资格鉴定"}, "route", Route.QUALIFICATION),
        ({"申报等级": "４级"}, "level", Level.INTERMEDIATE),
        ({"申报等级": 4}, "level", Level.INTERMEDIATE),
        ({"申报职业": "调饮师"}, "code", "4-03-02-10"),
        ({"职业编码": "4-09-07-04"}, "direction", ""),
        ({"职业编码": "4-09-07-04", "申报工种": "碳排放监测员"}, "direction", "碳排放监测员"),
        ({"评价机构": "示例社评组织"}, "body", BODY),
        ({"评价机构": BODY.lower()}, "body", BODY),
    ],
)
def test_a_wish(changed: dict[str, Any], attribute: str, value: object) -> None:
    (row,) = check(**changed).rows
    assert getattr(row.wish, attribute) == value


@pytest.mark.parametrize("kind", ["港澳台居民居住证", "港澳居民居住证", "台湾居民居住证"])
def test_names_of_the_residence_permit(kind: str) -> None:
    (row,) = check(证件类型=kind, 证件号码=number(1, region="810000")).rows
    assert row.document_type is DocumentType.RESIDENCE_PERMIT


def test_a_passport_contradicts_nothing() -> None:
    (row,) = check(证件类型="护照", 证件号码="e12345678", 性别="女", 出生日期="2007-03-04").rows
    assert (row.document_number, row.sex, row.birth_date) == (
        "E12345678",
        Sex.FEMALE,
        date(2007, 3, 4),
    )


_TEXTS = st.text(max_size=30)


@given(st.lists(_TEXTS, min_size=6, max_size=6))
def test_no_text_whatever_raises(cells: list[str]) -> None:
    heads = list(student(1))
    data = text([heads, [cell.encode("utf-8", "ignore").decode() for cell in cells]])
    outcome = read(data)
    assert len(outcome.rows) + len(outcome.rejected) <= len(cells)
    assert len(set(outcome.places)) == len(outcome.places)


@given(st.integers(0, 999), st.dates(date(1950, 1, 1), date(2010, 1, 1)))
def test_every_right_number_is_accepted(serial: int, born: date) -> None:
    cells = table(student(1, 证件号码=number(serial, f"{born:%Y%m%d}"), 出生日期=born.isoformat()))
    (row,) = read(text(cells)).rows
    assert (row.birth_date, row.sex is Sex.MALE) == (born, serial % 2 == 1)


def test_formulas_with_a_stored_value_are_values() -> None:
    def stored(name: str, content: bytes) -> bytes:
        return content.replace(b"<f>1+1</f><v></v>", b"<f>1+1</f><v>20249999</v>").replace(
            b"<f>1+1</f><v />", b"<f>1+1</f><v>20249999</v>"
        )

    data = rezipped(xlsx(table(student(1, 学号="=1+1"))), stored)
    assert [row.student_no for row in read(data).rows] == ["20249999"]
