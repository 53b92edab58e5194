"""Every code by which a student, file, row or cell is refused: texts and clauses in one table."""

from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from school_portal.domain.levels import TrainingLevel
from school_portal.domain.plain_text import plain
from school_portal.domain.policy import POLICY_NAMES

_N120 = "沪人社职〔2024〕120号"
_N401 = "沪人社职〔2021〕401号"
_N17 = MappingProxyType(
    {
        TrainingLevel.SECONDARY: "沪职鉴中心〔2021〕17号",
        TrainingLevel.HIGHER: "市教委职教处 2021-11-05",
    }
)
# Stands for the centre's notice to schools of the student's training level (N17S or N17H).
_OWN_NOTICE = "N17"
_JOINT = "；"
_POLICY = "本平台规则："
_MOST_MESSAGES = 3


def policy_clause(setting: str) -> str:
    """The clause of a refusal that rests on a setting of this platform, by the setting's field."""
    return f"{_POLICY}{POLICY_NAMES[setting]}"


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule of rulebook 4: its name, and (notice, clause) pairs in the table's order."""

    name: str
    sources: tuple[tuple[str, str], ...]

    def clauses(self, training_level: TrainingLevel) -> tuple[str, ...]:
        """The clauses that apply to students of the training level."""
        return tuple(
            f"{_N17[training_level] if notice == _OWN_NOTICE else notice} {clause}".rstrip()
            for notice, clause in self.sources
        )


CHOICE_NEEDED = "CHOICE-NEEDED"

RULES = MappingProxyType(
    {
        "ACCOUNT": Rule("学校开户", ((_N401, "三"), (_OWN_NOTICE, "二2"))),
        "ENROLLED": Rule("本校在籍", ((_N401, "一"), (_OWN_NOTICE, "一"))),
        "GRADUATING-YEAR": Rule(
            "毕业学年", ((_N401, "一"), (_N120, "二(一)"), (_OWN_NOTICE, "一"))
        ),
        "LEVEL-CAP": Rule("等级上限", ((_N401, "一"), (_OWN_NOTICE, "一"))),
        "EVALUATED": Rule("专业评估", ((_N401, "二"), (_OWN_NOTICE, "一3"))),
        "PERMITTED": Rule("申报权限", ((_OWN_NOTICE, "二3"),)),
        "SCOPE": Rule("备案范围", ((_N401, "一"),)),
        "COOPERATION": Rule("校企合作", ((_N120, "二(一)"),)),
        "OWN-STUDENTS": Rule("院校只评本校学生", ((_N120, "二(三)"), (_N120, "三(一)3"))),
        "NATIONAL-STANDARD": Rule("国家职业标准", ((_N120, "三(二)1"), (_N401, "一"))),
        "RESTRICTED": Rule("限制措施", ((_N120, "三(四)2"),)),
        "ONCE": Rule("不重复申报", ((policy_clause("once"), ""),)),
        CHOICE_NEEDED: Rule("须作选择", ((f"{_POLICY}由学校选定职业和评价机构", ""),)),
    }
)
_ORDER = MappingProxyType({code: place for place, code in enumerate(RULES)})


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a student is left out: the rule's code, its clauses joined, what to do."""

    code: str
    clause: str
    message: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One failure of one rule, before those of the same rule are told together."""

    code: str
    clauses: tuple[str, ...]
    message: str


def finding(
    code: str, training_level: TrainingLevel, message: str, setting: str | None = None
) -> Finding:
    """A failure; `setting` names the policy on which it rests instead of the rule's clauses."""
    clauses = (policy_clause(setting),) if setting else RULES[code].clauses(training_level)
    return Finding(code, clauses, message)


def merge_findings(findings: Iterable[Finding]) -> tuple[Reason, ...]:
    """One reason a rule, in the rulebook's order; different messages told once each."""
    by_code: dict[str, list[Finding]] = {}
    for found in findings:
        by_code.setdefault(found.code, []).append(found)
    return tuple(_reason(code, by_code[code]) for code in sorted(by_code, key=_ORDER.__getitem__))


def _reason(code: str, findings: list[Finding]) -> Reason:
    clauses = dict.fromkeys(clause for found in findings for clause in found.clauses)
    messages = list(dict.fromkeys(found.message for found in findings))
    shown = "".join(messages[:_MOST_MESSAGES])
    if len(messages) > _MOST_MESSAGES:
        shown += f"另有 {len(messages) - _MOST_MESSAGES} 项同类情形。"
    # The notices' clauses before the platform's own rules, each otherwise in its place.
    return Reason(code, _JOINT.join(sorted(clauses, key=_is_policy)), shown)


def _is_policy(clause: str) -> bool:
    return clause.startswith(_POLICY)


Severity = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Issue:
    """What is wrong with a file (no row), a row (no column) or a cell; `row` as Excel shows it."""

    row: int | None
    column: str | None
    severity: Severity
    code: str
    message: str


# The place (第 7 行“证件号码”) is put in front. {value} is 填写的“…”, masked by the caller where
# it is personal, or nothing; {detail} is what the caller knows beyond the code.
ISSUES = MappingProxyType(
    {
        "file.unreadable": (
            "文件不是可读取的工作簿或文本表格{detail}，请用 WPS 或 Excel 另存为 xlsx 后重新上传。"
        ),
        "file.encrypted": "文件设有打开密码{detail}，无法读取，请取消密码后重新上传。",
        "file.macros": "文件带有宏，不予读取，请另存为不带宏的 xlsx 后重新上传。",
        "file.unsafe": "文件结构异常{detail}，不予读取，请把名册数据复制到空白模板后重新上传。",
        "file.too-large": "文件超过大小上限{detail}，请删去无关内容或分成几个文件后重新上传。",
        "file.too-many-rows": "文件超过行数上限{detail}，请分成几个文件后重新上传。",
        "file.several-sheets": (
            "有多张工作表像是名册{detail}，请指明读取哪一张，或只保留一张后重新上传。"
        ),
        "file.headers": "表头有误：{detail}，请对照名册模板改正表头后重新上传。",
        "file.encoding": "无法识别文件的文字编码，请另存为 UTF-8 或 GB18030 编码后重新上传。",
        "cell.required": "未填写，此项必填，请补充。",
        "cell.too-long": "{value}过长{detail}，请缩短后重新填写。",
        "cell.formula": "是没有计算结果的公式，请改填为数值或文字。",
        "cell.characters": "{value}含有无法识别的字符，请对照原件重新输入。",
        "cell.id-precision-lost": (
            "以数字格式保存，末尾几位可能已丢失，系统不作修补，"
            "请把该列设为文本格式后对照原件重新输入。"
        ),
        "cell.id-format": "{value}的格式或其中的出生日期不对，请核对证件类型和原件后改正。",
        "cell.id-checksum": "{value}校验位不对，请核对原件后改正。",
        "cell.birth-date-mismatch": "{value}与证件号码中的出生日期不一致，请核对原件后改正。",
        "cell.sex-mismatch": "{value}与证件号码中的性别不一致，请核对原件后改正。",
        "cell.mobile": "{value}不是有效的手机号码，请填写 13 至 19 开头的 11 位号码。",
        "cell.date": "{value}不是有效的日期{detail}，请按 2027-06 或 2027-06-30 的样式填写。",
        "cell.level": "{value}不是技能等级，请填写五级、四级、三级、二级或一级。",
        "cell.training-level": (
            "{value}不是该专业的培养层次{detail}，请填写中职或高职，并与专业一致。"
        ),
        "cell.choice": "{value}不在可选项内，请填写以下之一：{detail}。",
        "cell.specialty-unknown": "{value}不是本校的专业{detail}，请对照学校的专业目录改正。",
        "cell.occupation-unknown": (
            "{value}不在评价项目目录内，或职业编码、职业名称与工种不相符{detail}，请对照目录改正。"
        ),
        "cell.body-unknown": (
            "{value}不是已登记的评价机构{detail}，请填写机构全称或统一社会信用代码。"
        ),
        # Remarks: what was read, and what the reader should look at.
        "cell.name-spaces": "中的空白、换行或不可见字符已去掉，按“{detail}”读取，请核对。",
        "cell.text-mark": '开头的单引号或 ="…" 是导出时加的标记，已去掉，按“{detail}”读取。',
        "cell.question-mark": "{value}含有问号，可能是导出时丢失的字，请对照证件核对后改正。",
        "row.duplicate": "与前面的{detail}重复，请核对后只保留一行。",
        "row.number-taken": "{value}已属于本校另一名学生，请核对学号后改正。",
        "row.other-school": "该生已在其他学校登记，不能重复登记，请先核实学籍。",
    }
)
_LONGEST_VALUE = 40


def issue(
    code: str,
    row: int | None = None,
    column: str | None = None,
    *,
    value: str = "",
    detail: str = "",
    severity: Severity = "error",
) -> Issue:
    """An issue with its Chinese message; `value` comes masked where it is personal.

    `detail` completes the template of the code: an addition such as `（上限 20 MB）`, or the list
    that `cell.choice` and `file.headers` name, or the first place for `row.duplicate`. Raises
    KeyError for a code that the contract does not have.
    """
    shown = value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}…"
    place = f"第 {row} 行" if row is not None else ""
    place += f"“{column}”" if column is not None else ""
    quoted = f"填写的“{shown}”" if shown else ""
    message = place + ISSUES[code].format(value=quoted, detail=detail)
    return Issue(row, column, severity, code, plain(message))
