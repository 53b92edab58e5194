"""What a school sees of one of its applications for specialty evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from school_portal.domain.identifiers import mask_mobile
from school_portal.domain.specialty_evaluation import (
    ANNEX_FIELDS,
    RECEIVERS,
    EvaluationAction,
    EvaluationState,
    missing_seals,
)
from school_portal.models import SpecialtyEvaluation, StateChange
from school_portal.services import evaluations
from school_portal.services.portal import Portal
from school_portal.services.transitions import history
from school_portal.services.windows import window_at

EDITABLE = (EvaluationState.DRAFT, EvaluationState.RETURNED)
HANDED_IN = (EvaluationState.SUBMITTED, EvaluationState.RETURNED)

_NEXT = {
    EvaluationState.SUBMITTED: "核对材料，决定受理、退回补正或者不予受理。",
    EvaluationState.RETURNED: "按退回意见改正指明之处，在期限内再次提交；受理期已过也可以提交。",
    EvaluationState.ACCEPTED: "会同受理单位组成专家组。",
    EvaluationState.UNDER_PANEL_REVIEW: "专家逐项评估并写明意见。",
    EvaluationState.OPINION_RECORDED: "在专家组评估意见表上盖章，盖章齐全后生效。",
    EvaluationState.SEALED: "评估通过的项目，毕业学年的学生即可申报；请申请相应的申报权限。",
    EvaluationState.NOT_ACCEPTED: "按不予受理的理由准备后，可在受理期内另行申请。",
    EvaluationState.WITHDRAWN: "需要时可在受理期内另行申请。",
}


@dataclass(frozen=True, slots=True)
class NextStep:
    """What comes next, whose turn it is, and until when."""

    text: str
    owner: str
    due: date | None


def next_step(evaluation: SpecialtyEvaluation) -> NextStep:
    """From the state alone."""
    office = RECEIVERS[evaluation.training_level].label
    owners = {
        EvaluationState.SUBMITTED: office,
        EvaluationState.ACCEPTED: f"市职业技能鉴定中心会同{office}",
        EvaluationState.UNDER_PANEL_REVIEW: "评估专家组",
        EvaluationState.OPINION_RECORDED: "、".join(
            role.label for role in sorted(_awaited(evaluation))
        ),
    }
    owner = owners.get(evaluation.state, "本校")
    return NextStep(_NEXT[evaluation.state], owner, evaluation.correction_until)


def _awaited(evaluation: SpecialtyEvaluation) -> frozenset[Any]:
    return missing_seals(evaluation.training_level, (seal.role for seal in evaluation.seals))


def last_return(changes: list[StateChange]) -> StateChange | None:
    """The newest return, with its reasons."""
    return next((one for one in changes if one.action == EvaluationAction.RETURN), None)


def open_parts(evaluation: SpecialtyEvaluation) -> list[str]:
    """What a returned application may change, as people read it."""
    named = evaluation.unlocked or {}
    specialties = {one.id: one.name for one in evaluation.school.specialties}
    return [
        *(ANNEX_FIELDS[name] for name in named.get("fields", ())),
        *(
            f"第 {line.position} 项 {line.project.label}"
            for line in evaluation.lines
            if line.id in named.get("lines", ())
        ),
        *(f"{specialties[key]}的佐证材料" for key in named.get("programmes", ())),
        *(["新增申报项目"] if named.get("add_lines") else []),
    ]


def case_page(session: Session, portal: Portal, evaluation: SpecialtyEvaluation) -> dict[str, Any]:
    """The case: its content with telephones masked, its history, what comes next."""
    written = evaluations.fields(portal.vault, evaluation)
    for name in evaluations.SEALED_FIELDS:
        written[name] = mask_mobile(written[name])
    changes = history(session, evaluation.subject)
    return {
        "evaluation": evaluation,
        "written": written,
        "changes": changes,
        "returned": last_return(changes),
        "parts": open_parts(evaluation),
        "step": next_step(evaluation),
        "may_withdraw": evaluation.state in HANDED_IN,
    }


def open_part(session: Session, portal: Portal, evaluation: SpecialtyEvaluation) -> dict[str, Any]:
    """What pages of an application that is being written have in common."""
    now = portal.clock()
    level, school_id = evaluation.training_level, evaluation.school_id
    asked = {line.specialty_id: line.specialty for line in evaluation.lines}
    return {
        "evaluation": evaluation,
        "window": window_at(session, now, level, school_id),
        "now": now,
        "returned": last_return(history(session, evaluation.subject)),
        "parts": open_parts(evaluation),
        "asked": list(asked.values()),
        "office": RECEIVERS[level].label,
    }
