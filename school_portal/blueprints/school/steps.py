"""The steps from the specialty evaluation to the signed application, on a school's home."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flask import url_for

from school_portal.domain.account import AccountState, OpeningState
from school_portal.domain.roster import RosterState
from school_portal.domain.specialty_evaluation import EvaluationState
from school_portal.services.portal import current_portal
from school_portal.services.standing import Standing


@dataclass(frozen=True, slots=True)
class Step:
    """One step: done where nothing of it is left, due where the school can go on with it now."""

    title: str
    text: str
    done: bool
    due: bool
    address: str
    action: str


def steps(now: Standing) -> list[Step]:
    """What was done and what is left, in the order in which one rests on the other."""
    made = (_evaluation, _account, _permissions, _roster, _applications, _signing)
    return [step(now) for step in made]


def following(listed: Sequence[Step]) -> Step:
    """The first that is due; where none is, the first of which something is left."""
    due = [step for step in listed if step.due]
    left = [step for step in listed if not step.done]
    return (due or left or list(listed[-1:]))[0]


def _evaluation(now: Standing) -> Step:
    drafts = now.evaluations.get(EvaluationState.DRAFT, 0)
    returned = now.evaluations.get(EvaluationState.RETURNED, 0)
    under_way = sum(now.evaluations.get(state, 0) for state in _UNDER_WAY)
    due = bool(returned) or not (now.evaluated or under_way)
    if returned:
        text = f"有 {returned} 份申请退回补正，请在期限内改正后再次提交。"
    elif not now.evaluated and drafts:
        text = f"有 {drafts} 份草稿还没有提交。没有评估结论，学生不能申报。"
    elif not now.evaluated:
        text = (
            "申请已提交，等待受理单位办理。"
            if under_way
            else "还没有有效的评估结论，学生不能申报。请先填写申请表（附件 1）。"
        )
    elif now.unevaluated:
        text = (
            f"{now.evaluated} 个专业有有效的评估结论，"
            f"还有 {now.unevaluated} 个专业没有，其学生不能申报。"
        )
    else:
        text = f"{now.evaluated} 个专业有有效的评估结论。"
    return Step(
        "专业评估",
        text,
        bool(now.evaluated) and not (now.unevaluated or returned),
        due,
        url_for("school.evaluations"),
        "办理专业评估" if due else "查看专业评估",
    )


_UNDER_WAY = (
    EvaluationState.SUBMITTED,
    EvaluationState.ACCEPTED,
    EvaluationState.UNDER_PANEL_REVIEW,
    EvaluationState.OPINION_RECORDED,
)


def _account(now: Standing) -> Step:
    done = now.account is AccountState.OPEN
    waiting = now.opening is OpeningState.ORIGINAL_RECEIVED or (
        now.account is AccountState.APPROVED and current_portal().trust is None
    )
    if done:
        text = "账户已开通。"
    elif now.account is AccountState.SUSPENDED:
        text = "账户已停用，请联系市职业技能鉴定中心。"
    elif now.account is AccountState.APPROVED:
        text = "申请已批准，等待市职业技能鉴定中心开通。" if waiting else _REGISTER
    else:
        text = _OPENING[now.opening]
    start = not done and now.opening is None and now.account in _CLOSED
    return Step(
        "开户",
        text,
        done,
        not done and not waiting,
        url_for("school.account"),
        "申请开户" if start else "查看账户",
    )


_CLOSED = (AccountState.NOT_OPEN, AccountState.CLOSED)
_REGISTER = "申请已批准，请退出后在登录页用 CA 密钥注册开户。"
_OPENING: dict[OpeningState | None, str] = {
    None: "请填写开户申请表（附件 2），签字盖章后将原件交到窗口。",
    OpeningState.DRAFT: "申请表还没有提交，请核对后提交。",
    OpeningState.RETURNED: "申请表已退回，请改正后重新提交。",
    OpeningState.REQUESTED: "申请已提交，请把签字盖章的原件交到窗口。",
    OpeningState.ORIGINAL_RECEIVED: "原件已收到，等待市职业技能鉴定中心审批。",
}


def _permissions(now: Standing) -> Step:
    due = bool(now.unpermitted) and now.account is AccountState.OPEN
    waits = f"{now.asked} 项等待市职业技能鉴定中心审核。" if now.asked else ""
    if now.unpermitted:
        text = f"还有 {now.unpermitted} 个评估通过的项目没有申报权限。{waits}"
    elif now.permitted:
        text = f"已有 {now.permitted} 个项目的申报权限。{waits}"
    else:
        text = waits or "专业评估有了结论，再申请相应的申报权限。"
    listed = url_for("school.account", _anchor="permissions")
    return Step(
        "申请权限",
        text,
        bool(now.permitted) and not (now.unpermitted or now.asked),
        due,
        url_for("school.new_permissions") if due else listed,
        "申请权限" if due else "查看权限",
    )


def _roster(now: Standing) -> Step:
    checked = [one for one in now.rosters if one.state is RosterState.CHECKED]
    current = next(iter([*checked, *now.rosters]), None)
    if checked:
        text = f"“{checked[0].file_name}”已检查完，请核对后确认保存。"
        text += f"另有 {len(now.rosters) - 1} 份未办完。" if len(now.rosters) > 1 else ""
    elif current:
        text = f"“{current.file_name}”正在处理，可以离开本页。"
    elif now.students:
        text = f"已保存 {now.students:,} 名学生。"
    else:
        text = "先下载名册模板，填好毕业学年学生后上传；检查结果由学校确认后才写入。"
    address, action = url_for("school.students"), "查看学生"
    if current:
        address = url_for("school.roster", roster_id=current.id)
        action = "核对名册" if checked else "查看进度"
    elif not now.students:
        address, action = url_for("school.upload"), "上传名册"
    return Step(
        "上传并确认名册",
        text,
        bool(now.students) and not current,
        bool(checked) or not (now.students or current),
        address,
        action,
    )


def _applications(now: Standing) -> Step:
    if now.left and now.generated:
        text = f"还有 {now.left:,} 名学生未列入申报，原因见申报计划。"
    elif now.left:
        text = f"还有 {now.left:,} 名学生未列入申报，请查看计划后生成。"
    elif now.students:
        text = "在校的学生都已列入团体申报。"
    else:
        text = "谁能申报、谁不能申报、为什么，都列在计划里。"
    return Step(
        "生成团体申报",
        text,
        bool(now.students) and not now.left,
        bool(now.left) and not now.generated and now.account is AccountState.OPEN,
        url_for("school.plan"),
        "查看申报计划",
    )


def _signing(now: Standing) -> Step:
    handed_in = f"已提交 {now.handed_in:,} 份。" if now.handed_in else ""
    if now.drafts:
        text = f"还有 {now.drafts:,} 份草稿，请核对名单，用学校的密钥签名提交。{handed_in}"
    else:
        text = handed_in or "生成后核对名单，用学校的密钥签名提交。"
    return Step(
        "签名并提交",
        text,
        bool(now.handed_in) and not now.drafts,
        bool(now.drafts),
        url_for("school.applications", state="draft" if now.drafts else None),
        "签名提交" if now.drafts else "查看团体申报",
    )
