"""What the page of one application shows to an office."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session
from wtforms.fields.choices import SelectChoice

from school_portal.blueprints.office.forms import ReturnForm
from school_portal.domain.specialty_evaluation import (
    ANNEX_FIELDS,
    EVALUATION_WORKFLOW,
    RECEIVERS,
    SEALS,
    EvaluationState,
    missing_seals,
)
from school_portal.domain.workflow import Role
from school_portal.models import Panel, SpecialtyEvaluation
from school_portal.services import annex, histories, opinions, panels, receiving, transitions
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from school_portal.services.receiving import Unlocked


@dataclass(frozen=True, slots=True)
class Step:
    """What comes next, and whose turn it is."""

    text: str
    owner: str


def case_page(
    session: Session, portal: Portal, actor: Actor, evaluation: SpecialtyEvaluation
) -> dict[str, Any]:
    """The variables of `office/evaluation.html`."""
    panel = evaluation.panel
    return {
        "evaluation": evaluation,
        "annex": annex.read(portal.vault, evaluation, phones=True),
        "resubmissions": annex.resubmissions(portal.vault, evaluation),
        "receives": RECEIVERS[evaluation.training_level] is actor.role,
        "may_seal": actor.role in lacking_seals(evaluation),
        "panel": panel,
        "vacancies": panels.vacancies(panel) if panel else [],
        "held": opinions.of_panel(evaluation),
        "needed": sorted(SEALS[evaluation.training_level], key=lambda role: role.label),
        "history": histories.of_evaluation(session, evaluation),
        "step": next_step(evaluation),
        "due": receiving.due_on(evaluation),
        "waiting_since": transitions.waiting_since(session, EVALUATION_WORKFLOW, evaluation),
    }


def lacking_seals(evaluation: SpecialtyEvaluation) -> frozenset[Role]:
    """Whose seals are waited for; none before the opinion is recorded."""
    if evaluation.state is not EvaluationState.OPINION_RECORDED:
        return frozenset()
    return missing_seals(evaluation.training_level, (one.role for one in evaluation.seals))


def next_step(evaluation: SpecialtyEvaluation) -> Step:
    """What is owed, by whom."""
    receiver, school = RECEIVERS[evaluation.training_level].label, evaluation.school.name
    if evaluation.state is EvaluationState.UNDER_PANEL_REVIEW and evaluation.panel is not None:
        return _review(evaluation.panel)
    sealers = "、".join(sorted(role.label for role in lacking_seals(evaluation)))
    steps = {
        EvaluationState.SUBMITTED: Step("审查材料，予以受理、退回补正或不予受理。", receiver),
        EvaluationState.RETURNED: Step("学校按退回意见补正后重新提交。", school),
        EvaluationState.ACCEPTED: Step(f"会同{receiver}组成专家组。", Role.CENTRE.label),
        EvaluationState.OPINION_RECORDED: Step("核对专家组评估意见后盖章。", sealers),
        EvaluationState.SEALED: Step("已办结。学校可以据此申请权限、办理团体申报。", school),
    }
    return steps.get(evaluation.state, Step("已办结。学校可以在受理期内另行申请。", school))


def _review(panel: Panel) -> Step:
    if panels.vacancies(panel):
        return Step("有专家回避，须先确定接替的专家。", Role.CENTRE.label)
    waiting = [one for one in panels.active(panel) if one.finished_at is None]
    return Step(f"还有 {len(waiting)} 名专家没有提交意见。", Role.EXPERT.label)


def correctable(form: ReturnForm, evaluation: SpecialtyEvaluation, default: date | None) -> None:
    """Offer what the application has for correction, and the date that holds where none is set."""
    specialties = {line.specialty_id: line.specialty for line in evaluation.lines}
    form.fields.choices = [SelectChoice(name, label) for name, label in ANNEX_FIELDS.items()]
    form.lines.choices = [
        SelectChoice(line.id, f"第 {line.position} 项：{line.specialty.name}，{line.project.label}")
        for line in evaluation.lines
    ]
    form.programmes.choices = [
        SelectChoice(key, f"{one.code} {one.name}") for key, one in specialties.items()
    ]
    form.until.description = (
        f"不填为 {default}。补正期限内，即使受理期已过也可以重新提交。"
        if default
        else "工作日历尚未载入期限跨入的年份，请直接填写日期。"
    )


def unlocked_by(form: ReturnForm) -> Unlocked:
    """What was ticked."""
    return Unlocked(
        frozenset(form.fields.data or ()),
        frozenset(form.lines.data or ()),
        frozenset(form.programmes.data or ()),
        add_lines=bool(form.more.data),
    )
