"""A school's application for specialty evaluation while it is written (rulebook 5, 1; annex 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlalchemy as sa
from sqlalchemy.orm import Session, selectinload

from school_portal.domain.levels import TrainingLevel
from school_portal.domain.projects import Project
from school_portal.domain.refusals import level_cap
from school_portal.domain.specialty_evaluation import (
    ANNEX_FIELDS,
    EvaluationState,
    LineState,
    clause,
)
from school_portal.domain.texts import trimmed
from school_portal.domain.windows import TZ
from school_portal.models import EvaluationLine, School, Specialty, SpecialtyEvaluation
from school_portal.security import audit
from school_portal.security.vault import Vault
from school_portal.services import access, policies, project_search
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.portal import Portal

SEALED_FIELDS = frozenset({"leader_phone", "contact_phone"})
_EMPTY = dict.fromkeys(ANNEX_FIELDS.keys() - SEALED_FIELDS, "")
_TABLE = "specialty_evaluations"
_EDITABLE = (EvaluationState.DRAFT, EvaluationState.RETURNED)


def listing(session: Session, school: School) -> Sequence[SpecialtyEvaluation]:
    """The school's applications, the newest first."""
    return session.scalars(
        sa.select(SpecialtyEvaluation)
        .where(SpecialtyEvaluation.school_id == school.id)
        .options(selectinload(SpecialtyEvaluation.lines))
        .order_by(SpecialtyEvaluation.id.desc())
    ).all()


def blank(
    portal: Portal, actor: Actor, school: School, training_level: TrainingLevel
) -> SpecialtyEvaluation:
    """The form before a word is written; nothing is kept. Raises NotFound as `draft`."""
    if school.id != actor.school_id or training_level not in school.levels:
        raise NotFound("SpecialtyEvaluation")
    now = portal.clock()
    return SpecialtyEvaluation(
        school=school,
        training_level=training_level,
        state=EvaluationState.DRAFT,
        version=0,
        **{**_EMPTY, "legal_representative": school.legal_representative},
        created_by_id=actor.user_id,
        created_at=now,
        saved_at=now,
    )


def draft_of(
    session: Session, school: School, training_level: TrainingLevel
) -> SpecialtyEvaluation | None:
    """The school's draft for that training level; there is at most one."""
    return session.scalar(
        sa.select(SpecialtyEvaluation).where(
            SpecialtyEvaluation.school_id == school.id,
            SpecialtyEvaluation.training_level == training_level,
            SpecialtyEvaluation.state == EvaluationState.DRAFT,
        )
    )


def draft(
    session: Session, portal: Portal, actor: Actor, school: School, training_level: TrainingLevel
) -> SpecialtyEvaluation:
    """The school's draft for that training level; a new one where there is none.

    Raises NotFound for a training level that the school does not have.
    """
    made = blank(portal, actor, school, training_level)
    access.lock(session, school.id)  # two clicks are one draft
    found = draft_of(session, school, training_level)
    if found is not None:
        return found
    session.add(made)
    session.flush()
    audit.record(session, actor.label, "evaluation.draft", made.subject, at=made.created_at)
    return made


def fields(vault: Vault, evaluation: SpecialtyEvaluation) -> dict[str, str]:
    """What stands in annex 1's fields, telephone numbers in full, by the names of ANNEX_FIELDS."""
    return {name: _read(vault, evaluation, name) for name in ANNEX_FIELDS}


def _read(vault: Vault, evaluation: SpecialtyEvaluation, name: str) -> str:
    if name not in SEALED_FIELDS:
        return str(getattr(evaluation, name))
    sealed = getattr(evaluation, f"{name}_sealed")
    return vault.unseal(_TABLE, name, evaluation.row_key, sealed) if sealed else ""


def save(
    session: Session,
    portal: Portal,
    actor: Actor,
    evaluation: SpecialtyEvaluation,
    written: Mapping[str, str],
    version: int,
) -> None:
    """Keep what was written in the fields; `version` is the one that the writer had read.

    Autosave and the save button are this. Raises Refused where somebody saved in between, and for
    a field that the correction does not name; KeyError for what is no field.
    """
    hold(session, actor, evaluation)
    vault = portal.vault
    texts = {name: trimmed(text) for name, text in written.items()}
    changed = [name for name, text in texts.items() if text != _read(vault, evaluation, name)]
    if changed and evaluation.version != version:
        raise Refused(
            f"这份申请已在 {evaluation.saved_at.astimezone(TZ):%Y-%m-%d %H:%M} 被他人或在另一窗口"
            "保存过，您刚才填写的内容没有保存。请复制需要保留的文字，刷新页面核对后再填写。"
        )
    for name in changed:
        guard(evaluation, may_write(evaluation, name), ANNEX_FIELDS[name])
        if name in SEALED_FIELDS:
            sealed = vault.seal(_TABLE, name, evaluation.row_key, texts[name])
            setattr(evaluation, f"{name}_sealed", sealed if texts[name] else None)
        else:
            setattr(evaluation, name, texts[name])
    if changed:
        touch(portal, evaluation)


def add_line(
    session: Session,
    portal: Portal,
    actor: Actor,
    evaluation: SpecialtyEvaluation,
    specialty_id: int,
    project: Project,
) -> EvaluationLine:
    """A line more. Raises NotFound for another school's specialty, Refused for what cannot be."""
    hold(session, actor, evaluation)
    guard(evaluation, may_add_lines(evaluation), "新增的申报项目")
    specialty = own_specialty(session, evaluation, specialty_id)
    check_choice(session, portal, evaluation, specialty, project)
    line = EvaluationLine(
        specialty_id=specialty.id,
        position=len(evaluation.lines) + 1,
        state=LineState.PENDING,
        **project.columns(),
    )
    evaluation.lines.append(line)
    touch(portal, evaluation)
    session.flush()
    _unlock_with(evaluation, line)
    return line


def _unlock_with(evaluation: SpecialtyEvaluation, line: EvaluationLine) -> None:
    """What a correction adds can be changed as long as it lasts, and given its documents."""
    if evaluation.unlocked is None:
        return
    has_documents = any(one.specialty_id == line.specialty_id for one in evaluation.programmes)
    named = dict(evaluation.unlocked)
    named["lines"] = [*named.get("lines", ()), line.id]
    if not has_documents:
        named["programmes"] = sorted({*named.get("programmes", ()), line.specialty_id})
    evaluation.unlocked = named


def change_line(
    session: Session,
    portal: Portal,
    actor: Actor,
    evaluation: SpecialtyEvaluation,
    line_id: int,
    project: Project,
) -> None:
    """Another project for the line's specialty. Raises NotFound, Refused."""
    hold(session, actor, evaluation)
    line = own_line(evaluation, line_id)
    guard(evaluation, may_change_line(evaluation, line.id), f"第 {line.position} 项")
    check_choice(session, portal, evaluation, line.specialty, project)
    for name, value in project.columns().items():
        setattr(line, name, value)
    touch(portal, evaluation)


def remove_line(
    session: Session, portal: Portal, actor: Actor, evaluation: SpecialtyEvaluation, line_id: int
) -> None:
    """A line less. Raises NotFound, Refused."""
    hold(session, actor, evaluation)
    line = own_line(evaluation, line_id)
    guard(evaluation, may_change_line(evaluation, line.id), f"第 {line.position} 项")
    evaluation.lines.remove(line)
    session.delete(line)
    for position, left in enumerate(evaluation.lines, 1):
        left.position = position
    touch(portal, evaluation)


def check_choice(
    session: Session,
    portal: Portal,
    evaluation: SpecialtyEvaluation,
    specialty: Specialty,
    project: Project,
) -> None:
    """Raises Refused for a project above the cap, outside the register, or chosen already."""
    level = evaluation.training_level
    if above := level_cap(project.level, level, policies.current(session)):
        raise Refused(f"{above.message}依据：{'；'.join(above.clauses)}。")
    if project not in project_search.carried(session, portal.today()):
        raise Refused(
            f"“{project.label}”不在备案有效的评价机构的评价项目内，请从查询结果中选择。"
            f"依据：{clause(level, '附件1说明3')}。"
        )
    if (specialty.id, project) in {(one.specialty_id, one.project) for one in evaluation.lines}:
        raise Refused(f"专业“{specialty.name}”已列有“{project.label}”，不必重复填写。")


def own_specialty(
    session: Session, evaluation: SpecialtyEvaluation, specialty_id: int
) -> Specialty:
    """The school's specialty of the application's training level. Raises NotFound."""
    found = session.get(Specialty, specialty_id)
    if (
        found is None
        or found.school_id != evaluation.school_id
        or found.training_level is not evaluation.training_level
    ):
        raise NotFound("Specialty")
    return found


def own_line(evaluation: SpecialtyEvaluation, line_id: int) -> EvaluationLine:
    """The application's line. Raises NotFound."""
    found = next((line for line in evaluation.lines if line.id == line_id), None)
    if found is None:
        raise NotFound("EvaluationLine")
    return found


def hold(session: Session, actor: Actor, evaluation: SpecialtyEvaluation) -> None:
    """Have the school's application alone until the transaction ends, all of it read anew.

    Raises NotFound where it is another school's.
    """
    if evaluation.school_id != actor.school_id:
        raise NotFound("SpecialtyEvaluation")
    access.hold(session, evaluation)


def touch(portal: Portal, evaluation: SpecialtyEvaluation) -> None:
    """Something was saved: whoever read an older version is told. Time never goes back here."""
    evaluation.version += 1
    evaluation.saved_at = max(evaluation.saved_at, portal.clock())


def guard(evaluation: SpecialtyEvaluation, allowed: bool, what: str) -> None:
    """Raises Refused where the application, or this part of it, cannot be changed now."""
    if evaluation.state not in _EDITABLE:
        raise Refused(f"申请的状态为“{evaluation.state.label}”，内容不能再改。")
    if not allowed:
        raise Refused(f"“{what}”不在这次退回补正的范围内，不能修改；只能修改退回意见指明之处。")


def may_write(evaluation: SpecialtyEvaluation, name: str) -> bool:
    """Whether the field can be changed: all of a draft, what is named of a returned one."""
    return _unlocked(evaluation, "fields", name)


def may_change_line(evaluation: SpecialtyEvaluation, line_id: int) -> bool:
    """Whether the line can be changed or removed."""
    return _unlocked(evaluation, "lines", line_id)


def may_attach(evaluation: SpecialtyEvaluation, specialty_id: int) -> bool:
    """Whether the specialty's training programmes can be changed."""
    return _unlocked(evaluation, "programmes", specialty_id)


def may_add_lines(evaluation: SpecialtyEvaluation) -> bool:
    """Whether a line can be added."""
    returned = evaluation.state is EvaluationState.RETURNED and evaluation.unlocked
    named = bool(returned and returned.get("add_lines"))
    return evaluation.state is EvaluationState.DRAFT or named


def _unlocked(evaluation: SpecialtyEvaluation, part: str, key: str | int) -> bool:
    returned = evaluation.state is EvaluationState.RETURNED and evaluation.unlocked
    named = bool(returned and key in returned.get(part, ()))
    return evaluation.state is EvaluationState.DRAFT or named
