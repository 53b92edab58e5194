"""The evaluation of a school's specialties: who receives, who decides, who seals (rulebook 5)."""

import re
from collections.abc import Iterable, Sequence

from school_portal.domain.labels import LabelledEnum, fold
from school_portal.domain.levels import TrainingLevel
from school_portal.domain.workflow import Role, Transition, Workflow

PANEL_SIZE = 3  # experts at least, and an odd number of them (rulebook 5, 3)

ANNEX_FIELDS = {
    "legal_representative": "法人代表",
    "leader": "负责人（分管领导）",
    "leader_phone": "负责人联系方式",
    "contact": "联系人",
    "contact_phone": "联系人联系方式",
    "address": "联系地址",
    "school_opinion": "申请学校意见",
}
"""What annex 1 holds beside its lines and documents, by what a correction unlocks it under."""

_NOTICES = {
    TrainingLevel.SECONDARY: "沪职鉴中心〔2021〕17号",
    TrainingLevel.HIGHER: "市教委职教处 2021-11-05",
}


def clause(training_level: TrainingLevel, part: str) -> str:
    """A part (一1, 附件1说明3) of the notice that governs a training level's evaluations."""
    return f"{_NOTICES[training_level]} {part}"


class EvaluationState(LabelledEnum):
    """Where an application for evaluation (annex 1) is."""

    DRAFT = "draft", "草稿"
    SUBMITTED = "submitted", "已提交"
    RETURNED = "returned", "退回补正"
    ACCEPTED = "accepted", "已受理"
    NOT_ACCEPTED = "not_accepted", "不予受理"
    UNDER_PANEL_REVIEW = "under_panel_review", "专家评估中"
    OPINION_RECORDED = "opinion_recorded", "已形成评估意见"
    SEALED = "sealed", "已盖章生效"
    WITHDRAWN = "withdrawn", "已撤回"


class EvaluationAction(LabelledEnum):
    """What can be done to an application for evaluation."""

    SUBMIT = "submit", "提交"
    RESUBMIT = "resubmit", "补正后提交"
    WITHDRAW = "withdraw", "撤回"
    ACCEPT = "accept", "受理"
    RETURN = "return", "退回补正"
    REFUSE = "refuse", "不予受理"
    CONVENE = "convene", "组成专家组"
    CONCLUDE = "conclude", "形成评估意见"
    SEAL = "seal", "盖章"
    COMPLETE = "complete", "盖章齐全"


class LineState(LabelledEnum):
    """Where one line (specialty, occupation, direction, level) of an application is."""

    PENDING = "pending", "待评估"
    APPROVED = "approved", "通过"
    REFUSED = "refused", "不通过"
    REVOKED = "revoked", "已撤销"
    EXPIRED = "expired", "已到期"


class LineAction(LabelledEnum):
    """What can be done to a line."""

    APPROVE = "approve", "评估通过"
    REFUSE = "refuse", "评估不通过"
    SET_END = "set_end", "设定失效日期"
    REVOKE = "revoke", "撤销"
    EXPIRE = "expire", "到期"


RECEIVERS = {
    TrainingLevel.SECONDARY: Role.TEACHING_OFFICE,
    TrainingLevel.HIGHER: Role.VOCATIONAL_DIVISION,
}
"""The office that receives a training level's applications (N17S 一1, N17H 一1)."""

SEALS = {
    TrainingLevel.SECONDARY: frozenset({Role.CENTRE, Role.TEACHING_OFFICE}),
    TrainingLevel.HIGHER: frozenset({Role.VOCATIONAL_DIVISION}),
}
"""Whose seals the panel's opinion form needs before its lines take effect (N17S 一3, N17H 一3)."""

_SCHOOL = frozenset({Role.SCHOOL})
_OFFICES = frozenset(RECEIVERS.values())
_SYSTEM = frozenset({Role.SYSTEM})
_S, _A = EvaluationState, EvaluationAction

EVALUATION_WORKFLOW = Workflow(
    "专业评估申请",
    [
        Transition(
            frozenset({_S.DRAFT}),
            _A.SUBMIT,
            _SCHOOL,
            _S.SUBMITTED,
            "材料齐全，不超过等级上限，送达时刻在受理期内",
        ),
        Transition(
            frozenset({_S.RETURNED}),
            _A.RESUBMIT,
            _SCHOOL,
            _S.SUBMITTED,
            "送达时刻不晚于补正期限",
        ),
        Transition(
            frozenset({_S.SUBMITTED, _S.RETURNED}), _A.WITHDRAW, _SCHOOL, _S.WITHDRAWN, "写明理由"
        ),
        Transition(frozenset({_S.SUBMITTED}), _A.ACCEPT, _OFFICES, _S.ACCEPTED, "本单位受理范围"),
        Transition(
            frozenset({_S.SUBMITTED}),
            _A.RETURN,
            _OFFICES,
            _S.RETURNED,
            "本单位受理范围，指明需补正之处、理由和期限",
        ),
        Transition(
            frozenset({_S.SUBMITTED}),
            _A.REFUSE,
            _OFFICES,
            _S.NOT_ACCEPTED,
            "本单位受理范围，写明理由",
        ),
        Transition(
            frozenset({_S.ACCEPTED}),
            _A.CONVENE,
            frozenset({Role.CENTRE}),
            _S.UNDER_PANEL_REVIEW,
            "专家为单数且不少于三名，均不属于申请学校",
        ),
        Transition(
            frozenset({_S.UNDER_PANEL_REVIEW}),
            _A.CONCLUDE,
            _SYSTEM,
            _S.OPINION_RECORDED,
            "全体专家对每一项均已提交意见",
        ),
        Transition(
            frozenset({_S.OPINION_RECORDED}),
            _A.SEAL,
            _OFFICES | {Role.CENTRE},
            _S.OPINION_RECORDED,
            "该培养层次须由本单位盖章，且尚未盖章",
        ),
        Transition(
            frozenset({_S.OPINION_RECORDED}), _A.COMPLETE, _SYSTEM, _S.SEALED, "所需印章齐全"
        ),
    ],
)

LINE_WORKFLOW: Workflow[LineState, LineAction] = Workflow(
    "专业评估申请中的一项",
    [
        Transition(
            frozenset({LineState.PENDING}),
            LineAction.APPROVE,
            _SYSTEM,
            LineState.APPROVED,
            "多数专家认为通过",
        ),
        Transition(
            frozenset({LineState.PENDING}),
            LineAction.REFUSE,
            _SYSTEM,
            LineState.REFUSED,
            "多数专家认为不通过",
        ),
        Transition(
            frozenset({LineState.APPROVED}),
            LineAction.SET_END,
            _OFFICES | {Role.CENTRE},
            LineState.APPROVED,
            "已盖章生效，写明日期和理由",
        ),
        Transition(
            frozenset({LineState.APPROVED}),
            LineAction.REVOKE,
            _OFFICES | {Role.CENTRE},
            LineState.REVOKED,
            "已盖章生效，写明理由",
        ),
        Transition(
            frozenset({LineState.APPROVED}),
            LineAction.EXPIRE,
            _SYSTEM,
            LineState.EXPIRED,
            "过了失效日期",
        ),
    ],
)


def is_panel(size: int, least: int = PANEL_SIZE) -> bool:
    """Whether so many experts make a panel: an odd number of at least `least` (rulebook 5, 3)."""
    return size >= least and size % 2 == 1


def majority(votes: Sequence[bool]) -> bool:
    """What most of the panel hold of a line; nobody abstains. Raises ValueError for no panel."""
    if not is_panel(len(votes)):
        raise ValueError(f"{len(votes)} votes are no panel's")
    return sum(votes) * 2 > len(votes)


def belongs_to(employer: str, employer_uscc: str, school: str, school_uscc: str) -> bool:
    """Whether an expert's employer is the school: by code where both are known, or by name.

    No expert judges an organisation it belongs to (rulebook 1, `expert`; 5, 3).
    """
    if employer_uscc and fold(employer_uscc).upper() == school_uscc:
        return True
    return bool(employer) and fold(employer) == fold(school)


_BRACKETED = re.compile(r"\([^()]*\)|【[^【】]*】|\[[^\[\]]*\]")
_CITY = re.compile("^上海市?")
# 大学 alone, what is left of 上海大学, would be like every other.
_SHORTEST_NAME = 4
# Up to its first such word a name is the institution's; faculties and campuses follow.
_INSTITUTION = re.compile("(.*?(?:学校|学院|大学|中学|中专|职校|技校))")


def may_belong_to(employer: str, employer_uscc: str, school: str, school_uscc: str) -> bool:
    """Whether the employer may be the school under another spelling, as far as is known.

    A campus, a faculty, the city's name in front: `示例学校（东校区）`, `上海市示例学校烹饪系`. The
    employer's own code, where it is another than the school's, settles that it is not.
    """
    if employer_uscc and fold(employer_uscc).upper() != school_uscc:
        return False
    one, other = _core(employer), _core(school)
    if not one or not other:
        return False
    return one in other or other in one or _institution(one) == _institution(other)


def _core(name: str) -> str:
    whole = _BRACKETED.sub("", fold(name).casefold())
    local = _CITY.sub("", whole)
    return local if len(_institution(local)) >= _SHORTEST_NAME else whole


def _institution(core: str) -> str:
    found = _INSTITUTION.match(core)
    return found[1] if found else core


def missing_seals(training_level: TrainingLevel, affixed: Iterable[Role]) -> frozenset[Role]:
    """Whose seals a panel's opinion form still lacks."""
    return SEALS[training_level] - set(affixed)
