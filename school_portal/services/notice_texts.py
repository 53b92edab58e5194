"""Who is told of which change, and in which words."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from school_portal.domain.account import AccountAction, OpeningAction
from school_portal.domain.permission import PermissionAction
from school_portal.domain.school_key import KeyAction
from school_portal.domain.specialty_evaluation import EvaluationAction, LineAction
from school_portal.models import (
    AccountOpening,
    EvaluationLine,
    Permission,
    SchoolAccount,
    SchoolKey,
    SpecialtyEvaluation,
)


class Audience(StrEnum):
    """Whom a change concerns."""

    SCHOOL = "school"  # its operators
    RECEIVER = "receiver"  # the office that receives the training level
    CENTRE = "centre"
    SEALERS = "sealers"  # the offices whose seals are missing
    EXPERTS = "experts"  # the panel's


@dataclass(frozen=True, slots=True)
class Wording:
    """What one audience is told: what happened, and what to do.

    In braces: number, school, what (the project, or the kind of paper) and until (a day).
    """

    audience: Audience
    title: str
    text: str


_SCHOOL, _RECEIVER, _CENTRE = Audience.SCHOOL, Audience.RECEIVER, Audience.CENTRE

_EVALUATION = {
    EvaluationAction.SUBMIT: (
        Wording(
            _RECEIVER,
            "{school}提交专业评估申请 {number}",
            "请审查材料，予以受理、退回补正或不予受理。",
        ),
    ),
    EvaluationAction.RESUBMIT: (
        Wording(
            _RECEIVER,
            "{school}补正后提交专业评估申请 {number}",
            "请对照上次提交的内容审查补正之处。",
        ),
    ),
    EvaluationAction.WITHDRAW: (
        Wording(_RECEIVER, "{school}撤回专业评估申请 {number}", "该申请不再办理。"),
    ),
    EvaluationAction.ACCEPT: (
        Wording(
            _SCHOOL,
            "专业评估申请 {number} 已受理",
            "下一步由市职业技能鉴定中心会同受理单位组成专家组，请等待评估结果。",
        ),
        Wording(_CENTRE, "专业评估申请 {number} 待组成专家组", "请会同受理单位组成专家组。"),
    ),
    EvaluationAction.RETURN: (
        Wording(
            _SCHOOL,
            "专业评估申请 {number} 退回补正",
            "请按理由补正，在 {until} 24:00 前重新提交；逾期不能再补正，须在受理期内重新申请。",
        ),
    ),
    EvaluationAction.REFUSE: (
        Wording(_SCHOOL, "专业评估申请 {number} 不予受理", "请按理由改正后，在受理期内重新申请。"),
    ),
    EvaluationAction.CONVENE: (
        Wording(
            Audience.EXPERTS,
            "请评估{school}的专业评估申请 {number}",
            "请阅读材料，对每一项写明意见和理由；与该校有利害关系的请申请回避。",
        ),
        Wording(_SCHOOL, "专业评估申请 {number} 已组成专家组", "请等待评估结果。"),
    ),
    EvaluationAction.CONCLUDE: (
        Wording(
            Audience.SEALERS,
            "专业评估申请 {number} 待盖章",
            "专家组已形成评估意见，请核对评估意见表后盖章。",
        ),
    ),
    EvaluationAction.COMPLETE: (
        Wording(
            _SCHOOL,
            "专业评估申请 {number} 已盖章",
            "评估通过的项目即日生效，请查看各项结论；需要时接着申请申报权限。",
        ),
    ),
}

_LINE = {
    LineAction.REVOKE: (
        Wording(
            _SCHOOL,
            "“{what}”的评估结论已撤销",
            "此后该专业的学生不能再申报这一项目，已生成的草稿请核对；需要时重新申请评估。",
        ),
    ),
    LineAction.SET_END: (
        Wording(
            _SCHOOL,
            "“{what}”的评估结论设定了失效日期",
            "{until} 24:00 起失效，此后不能再申报这一项目；需要继续的请在受理期内重新申请评估。",
        ),
    ),
    LineAction.EXPIRE: (
        Wording(_SCHOOL, "“{what}”的评估结论已到期", "需要继续申报的，请在受理期内重新申请评估。"),
    ),
}

_OPENING = {
    OpeningAction.REQUEST: (
        Wording(
            _CENTRE,
            "{school}提交{what}申请 {number}",
            "收到签字盖章的原件后，请登记日期并审批。",
        ),
    ),
    OpeningAction.WITHDRAW: (
        Wording(_CENTRE, "{school}撤回{what}申请 {number}", "该申请不再办理。"),
    ),
    OpeningAction.RECEIVE_ORIGINAL: (
        Wording(_SCHOOL, "{what}申请 {number} 的原件已收到", "请等待市职业技能鉴定中心审批。"),
    ),
    OpeningAction.APPROVE: (
        Wording(
            _SCHOOL,
            "{what}申请 {number} 已批准",
            "请查看账户状态，待注册开户的请用登记的证书注册。",
        ),
    ),
    OpeningAction.RETURN: (
        Wording(_SCHOOL, "{what}申请 {number} 已退回", "请按理由改正后重新提交，并重新交来原件。"),
    ),
}

_ACCOUNT = {
    AccountAction.OPEN: (Wording(_SCHOOL, "学校账户已开通", "可以申请申报权限，并生成团体申报。"),),
    AccountAction.SUSPEND: (
        Wording(_SCHOOL, "学校账户已暂停", "恢复之前不能申报，请联系市职业技能鉴定中心。"),
    ),
    AccountAction.RESUME: (Wording(_SCHOOL, "学校账户已恢复", "可以继续申报。"),),
    AccountAction.CLOSE: (
        Wording(_SCHOOL, "学校账户已注销", "需要再次申报的，请重新提交开户申请。"),
    ),
}

_PERMISSION = {
    PermissionAction.GRANT: (
        Wording(_SCHOOL, "“{what}”的申报权限已开通", "从现在起，申报计划会列入符合条件的学生。"),
    ),
    PermissionAction.REFUSE: (
        Wording(_SCHOOL, "“{what}”的申报权限不予开通", "请按理由改正后重新申请。"),
    ),
    PermissionAction.REVOKE: (
        Wording(
            _SCHOOL, "“{what}”的申报权限已撤销", "此后不能再申报这一项目，已生成的草稿请核对。"
        ),
    ),
}

_NOT_YOURS = "不是学校本人更新证书的，请立即联系市职业技能鉴定中心。"
_KEY = {
    KeyAction.RENEW: (
        Wording(_SCHOOL, "{school}启用了更新的证书", f"keyID 不变，密钥是新的。{_NOT_YOURS}"),
        Wording(
            _CENTRE,
            "{school}启用了更新的证书",
            "keyID 不变，密钥是新的。不是学校本人更新证书的，请立即暂停账户。",
        ),
    ),
    KeyAction.WAIT: (
        Wording(
            _SCHOOL,
            "{school}更新的密钥待核准",
            f"keyID 不变，密钥是新的，核准前不能登录和签名，原来的密钥照常使用。{_NOT_YOURS}",
        ),
        Wording(_CENTRE, "{school}更新的密钥待核准", "请向学校核实后核准，或不予核准。"),
    ),
    KeyAction.ACCEPT: (
        Wording(_SCHOOL, "{school}更新的密钥已核准", "从现在起可以用这把密钥登录和签名。"),
    ),
    KeyAction.REFUSE: (
        Wording(_SCHOOL, "{school}更新的密钥未获核准", "不能用这把密钥登录和签名。"),
    ),
}

WORDINGS: dict[tuple[str, str], tuple[Wording, ...]] = {
    (kind, action.value): told
    for kind, actions in (
        (SpecialtyEvaluation.KIND, _EVALUATION),
        (EvaluationLine.KIND, _LINE),
        (AccountOpening.KIND, _OPENING),
        (SchoolAccount.KIND, _ACCOUNT),
        (Permission.KIND, _PERMISSION),
        (SchoolKey.KIND, _KEY),
    )
    for action, told in actions.items()
}
