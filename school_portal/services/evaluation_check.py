"""What keeps an application for specialty evaluation from being handed in, and why."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.identifiers import parse_phone
from school_portal.domain.projects import Project
from school_portal.domain.refusals import level_cap
from school_portal.domain.specialty_evaluation import ANNEX_FIELDS, clause
from school_portal.domain.windows import Period
from school_portal.models import EvaluationLine, SpecialtyEvaluation
from school_portal.services import evaluations, policies, project_search
from school_portal.services.portal import Portal


@dataclass(frozen=True, slots=True)
class Problem:
    """`place` names the field, `line-<id>`, `programmes-<specialty id>` or `lines`; texts Chinese.

    A warning keeps nothing from being handed in.
    """

    place: str
    label: str
    text: str
    clause: str
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Choices:
    """Projects that a search offers, and those that the cap keeps out with its text and clauses."""

    allowed: list[Project]
    above: list[tuple[Project, str, str]]
    more: bool  # than are shown


def problems(
    session: Session, portal: Portal, evaluation: SpecialtyEvaluation, on: date
) -> list[Problem]:
    """Everything that would be refused on that day, in the order of annex 1; warnings too."""
    return [
        *_fields(portal, evaluation),
        *_lines(session, portal, evaluation, on),
        *_programmes(evaluation),
    ]


def choices(
    session: Session, portal: Portal, evaluation: SpecialtyEvaluation, text: str
) -> Choices:
    """What a search offers for a line: the cap is applied while one chooses (`LEVEL-CAP`)."""
    found = project_search.find(session, text, portal.today())
    policy = policies.current(session)
    allowed: list[Project] = []
    above: list[tuple[Project, str, str]] = []
    for project in found:
        capped = level_cap(project.level, evaluation.training_level, policy)
        if capped is None:
            allowed.append(project)
        else:
            above.append((project, capped.message, "；".join(capped.clauses)))
    most = project_search.MOST_SHOWN
    return Choices(allowed[:most], above[:most], max(len(allowed), len(above)) > most)


def _fields(portal: Portal, evaluation: SpecialtyEvaluation) -> Iterator[Problem]:
    written = evaluations.fields(portal.vault, evaluation)
    source = clause(evaluation.training_level, "一1")
    for name, label in ANNEX_FIELDS.items():
        if not written[name]:
            yield Problem(name, label, "未填写，此项必填，请补充。", source)
        elif name in evaluations.SEALED_FIELDS and parse_phone(written[name]) is None:
            text = "不是有效的电话号码，请填写 11 位手机号码，或带区号的固定电话，如 021-62748577。"
            yield Problem(name, label, text, source)


def _lines(
    session: Session, portal: Portal, evaluation: SpecialtyEvaluation, on: date
) -> Iterator[Problem]:
    level = evaluation.training_level
    if not evaluation.lines:
        text = "还没有填写申请专业和申报职业（工种），请至少填写一项。"
        yield Problem("lines", "申报项目", text, clause(level, "一1"))
        return
    carried = project_search.carried(session, on)
    in_force = _in_force(session, evaluation, on)
    policy = policies.current(session)
    seen: set[tuple[int, Project]] = set()
    for line in evaluation.lines:
        place, label, key = f"line-{line.id}", f"第 {line.position} 项", _key(line)
        if capped := level_cap(line.project.level, level, policy):
            yield Problem(place, label, capped.message, "；".join(capped.clauses))
        if line.project not in carried:
            text = f"“{line.project.label}”不在备案有效的评价机构的评价项目内，请改选其他项目。"
            yield Problem(place, label, text, clause(level, "附件1说明3"))
        if key in seen:
            text = f"“{line.specialty.name}”的“{line.project.label}”重复填写，请删去一项。"
            yield Problem(place, label, text, clause(level, "一1"))
        if key in in_force:
            text = (
                f"“{line.specialty.name}”的“{line.project.label}”已有有效的评估结论，可不再申请。"
            )
            yield Problem(place, label, text, clause(level, "一3"), warning=True)
        seen.add(key)


def _in_force(
    session: Session, evaluation: SpecialtyEvaluation, on: date
) -> set[tuple[int, Project]]:
    wanted = {line.specialty_id for line in evaluation.lines}
    found = session.scalars(
        sa.select(EvaluationLine).where(
            EvaluationLine.specialty_id.in_(wanted), EvaluationLine.took_effect()
        )
    )
    return {_key(one) for one in found if Period(one.starts_on, one.ends_on).covers(on)}


def _key(line: EvaluationLine) -> tuple[int, Project]:
    return line.specialty_id, line.project


def _programmes(evaluation: SpecialtyEvaluation) -> Iterator[Problem]:
    attached = {programme.specialty_id for programme in evaluation.programmes}
    asked = {line.specialty_id: line.specialty for line in evaluation.lines}
    for specialty in asked.values():
        if specialty.id not in attached:
            text = "还没有上传人才培养方案等佐证材料，请至少上传一份。"
            source = clause(evaluation.training_level, "附件1说明1")
            yield Problem(f"programmes-{specialty.id}", specialty.name, text, source)
