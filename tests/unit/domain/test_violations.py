import re
from string import Formatter

import pytest

from school_portal.domain.levels import TrainingLevel
from school_portal.domain.policy import Policy
from school_portal.domain.violations import ISSUES, RULES, Reason, finding, issue, merge_findings

N401, N120 = "沪人社职〔2021〕401号", "沪人社职〔2024〕120号"
N17S, N17H = "沪职鉴中心〔2021〕17号", "市教委职教处 2021-11-05"

CLAUSES = [
    ("ACCOUNT", f"{N401} 三；{N17S} 二2", f"{N401} 三；{N17H} 二2"),
    ("ENROLLED", f"{N401} 一；{N17S} 一", f"{N401} 一；{N17H} 一"),
    (
        "GRADUATING-YEAR",
        f"{N401} 一；{N120} 二(一)；{N17S} 一",
        f"{N401} 一；{N120} 二(一)；{N17H} 一",
    ),
    ("LEVEL-CAP", f"{N401} 一；{N17S} 一", f"{N401} 一；{N17H} 一"),
    ("EVALUATED", f"{N401} 二；{N17S} 一3", f"{N401} 二；{N17H} 一3"),
    ("PERMITTED", f"{N17S} 二3", f"{N17H} 二3"),
    ("SCOPE", f"{N401} 一", f"{N401} 一"),
    ("COOPERATION", f"{N120} 二(一)", f"{N120} 二(一)"),
    ("OWN-STUDENTS", f"{N120} 二(三)；{N120} 三(一)3", f"{N120} 二(三)；{N120} 三(一)3"),
    ("NATIONAL-STANDARD", f"{N120} 三(二)1；{N401} 一", f"{N120} 三(二)1；{N401} 一"),
    ("RESTRICTED", f"{N120} 三(四)2", f"{N120} 三(四)2"),
    ("ONCE", "本平台规则：同一人同一项目不重复申报", "本平台规则：同一人同一项目不重复申报"),
]
CONTRACT_CODES = """
file.unreadable file.encrypted file.macros file.unsafe file.too-large file.too-many-rows
file.several-sheets file.headers file.encoding
cell.required cell.too-long cell.formula cell.characters
cell.id-precision-lost cell.id-format cell.id-checksum cell.birth-date-mismatch cell.sex-mismatch
cell.mobile cell.date cell.level cell.training-level cell.choice
cell.specialty-unknown cell.occupation-unknown cell.body-unknown
cell.name-spaces cell.text-mark cell.question-mark
row.duplicate row.number-taken row.other-school
"""
ISSUE_CODES = CONTRACT_CODES.split()


@pytest.mark.parametrize(("code", "secondary", "higher"), CLAUSES)
def test_clauses_by_training_level(code: str, secondary: str, higher: str) -> None:
    for level, clause in ((TrainingLevel.SECONDARY, secondary), (TrainingLevel.HIGHER, higher)):
        assert merge_findings([finding(code, level, "说明。")]) == (Reason(code, clause, "说明。"),)


def test_the_table_has_the_rulebooks_codes_in_its_order() -> None:
    assert list(RULES) == [code for code, _, _ in CLAUSES] + ["CHOICE-NEEDED"]


def test_one_reason_a_rule_in_the_tables_order() -> None:
    level = TrainingLevel.HIGHER
    reasons = merge_findings(
        [
            finding("ONCE", level, "丙。"),
            finding("ENROLLED", level, "甲。", "full_time_required"),
            finding("ENROLLED", level, "乙。"),
            finding("ENROLLED", level, "甲。", "full_time_required"),
            finding("ACCOUNT", level, "丁。"),
        ]
    )
    assert [reason.code for reason in reasons] == ["ACCOUNT", "ENROLLED", "ONCE"]
    assert reasons[1].message == "甲。乙。"
    assert reasons[1].clause == f"{N401} 一；{N17H} 一；本平台规则：仅限全日制学生申报"


def test_many_messages_of_one_rule_are_counted() -> None:
    level = TrainingLevel.SECONDARY
    (reason,) = merge_findings([finding("SCOPE", level, f"{n}。") for n in range(5)])
    assert reason.message == "0。1。2。另有 2 项同类情形。"


def test_the_contracts_issue_codes_are_all_there() -> None:
    assert list(ISSUES) == ISSUE_CODES


@pytest.mark.parametrize("code", ISSUE_CODES)
def test_every_text_is_chinese_and_names_the_place(code: str) -> None:
    found = issue(code, 7, "证件号码", value="3101****", detail="（示例）")
    assert found.message.startswith("第 7 行“证件号码”")
    assert found.message.endswith("。")
    assert not re.search(r"[!！,;?{}]", found.message)
    assert {name for _, name, _, _ in Formatter().parse(ISSUES[code]) if name} <= {
        "value",
        "detail",
    }


@pytest.mark.parametrize(
    ("row", "column", "value", "message"),
    [
        (7, "证件号码", "", "第 7 行“证件号码”校验位不对，请核对原件后改正。"),
        (
            7,
            "证件号码",
            "310104********0026",
            "第 7 行“证件号码”填写的“310104********0026”校验位不对，请核对原件后改正。",
        ),
    ],
)
def test_an_issues_words(row: int, column: str, value: str, message: str) -> None:
    assert issue("cell.id-checksum", row, column, value=value).message == message


def test_an_issue_of_the_whole_file() -> None:
    found = issue("file.encrypted")
    assert (found.row, found.column, found.severity) == (None, None, "error")
    assert found.message.startswith("文件设有打开密码")


def test_long_values_are_cut_and_braces_kept() -> None:
    found = issue("cell.level", 3, "申报等级", value="{value}" + "长" * 100)
    assert "{value}" in found.message
    assert "长" * 41 not in found.message


def test_an_unknown_code_is_an_error_of_the_caller() -> None:
    with pytest.raises(KeyError):
        issue("cell.nothing")


def test_a_group_holds_somebody() -> None:
    with pytest.raises(ValueError, match="group_size"):
        Policy(group_size=0)


def test_a_message_quotes_characters_alone() -> None:
    """It is kept in the database and written into workbooks, whatever the file held."""
    found = issue("cell.choice", 7, "性别", value="甲\x00\x0b乙\ud800", detail="男、女")
    assert "“甲乙”" in found.message
