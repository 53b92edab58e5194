"""Applications for specialty evaluation handed in, frozen, withdrawn, compared (rulebook 5)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy.orm import Session

from school_portal.domain.projects import Project
from school_portal.domain.specialty_evaluation import (
    ANNEX_FIELDS,
    EVALUATION_WORKFLOW,
    EvaluationAction,
    EvaluationState,
    clause,
)
from school_portal.domain.texts import trimmed
from school_portal.domain.windows import TZ, Window, civil_date
from school_portal.domain.workflow import Role
from school_portal.models import EvaluationSubmission, SignedSubmission, SpecialtyEvaluation
from school_portal.security.canonical import canonical
from school_portal.security.vault import Vault
from school_portal.services import evaluations, signed_papers
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.evaluation_check import problems
from school_portal.services.numbering import numbers
from school_portal.services.portal import Portal
from school_portal.services.signed_contents import of_evaluation
from school_portal.services.signed_papers import Paper, Signed
from school_portal.services.transitions import apply
from school_portal.services.windows import window_at

CORRECTION_CLAUSE = "本平台规则：补正期限的工作日数"
_PLACE = ("evaluation_submissions", "content")

Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Difference:
    """One part that differs: `before` is empty for what was added, `after` for what went."""

    kind: str  # "field", "line" or "programme"
    label: str
    before: str
    after: str


def submit(
    session: Session,
    portal: Portal,
    actor: Actor,
    evaluation: SpecialtyEvaluation,
    arrived_at: datetime,
    version: int | None = None,
    signed: Signed | None = None,
) -> EvaluationSubmission:
    """Hand it in, judged by the stamp of its arrival, not by the clock of the commit.

    `version` is the one that was reviewed. Raises Refused: outside the window, after the day of
    correction, not complete, changed since it was reviewed, or handed in already; and as
    signed_papers.take where the school's key has to sign.
    """
    evaluations.hold(session, actor, evaluation)
    corrected = evaluation.state is EvaluationState.RETURNED
    action = EvaluationAction.RESUBMIT if corrected else EvaluationAction.SUBMIT
    kept = None
    if (evaluation.state, action, Role.SCHOOL) in EVALUATION_WORKFLOW.table:
        arrived_at = _in_order(evaluation, arrived_at)
        _judge(session, portal, evaluation, arrived_at, version)
        kept = _sign(session, portal, actor, evaluation, signed, arrived_at)
        _register(session, evaluation, arrived_at)
    apply(session, EVALUATION_WORKFLOW, evaluation, action, Role.SCHOOL, actor=actor, at=arrived_at)
    return _freeze(session, portal, actor, evaluation, arrived_at, kept)


def _sign(
    session: Session,
    portal: Portal,
    actor: Actor,
    evaluation: SpecialtyEvaluation,
    signed: Signed | None,
    at: datetime,
) -> SignedSubmission | None:
    """The signature, where the school has a key. Raises NotSigned, Refused."""
    key = signed_papers.key_for(portal, evaluation.school)
    if key is None:
        return None
    content = of_evaluation(portal.vault, evaluation)
    paper = Paper(evaluation.subject, evaluation.school_id, content, key)
    return signed_papers.take(session, portal, actor, paper, signed, at)


def _in_order(evaluation: SpecialtyEvaluation, arrived_at: datetime) -> datetime:
    """Never before what was saved or handed in earlier: a clock set back reopens no window."""
    known = (evaluation.saved_at, evaluation.arrived_at)
    return max(arrived_at, *(instant for instant in known if instant is not None))


def _judge(
    session: Session,
    portal: Portal,
    evaluation: SpecialtyEvaluation,
    arrived_at: datetime,
    version: int | None,
) -> None:
    if version not in (None, evaluation.version):
        raise Refused("核对之后申请又被改动过，没有提交。请重新核对内容后再提交。")
    if evaluation.state is EvaluationState.RETURNED:
        _judge_correction(evaluation, arrived_at)
    else:
        level = evaluation.training_level
        window = window_at(session, arrived_at, level, evaluation.school_id)
        if not window.open:
            raise Refused(closed_text(window, evaluation, arrived_at))
    found = problems(session, portal, evaluation, civil_date(arrived_at))
    stopping = [one for one in found if not one.warning]
    if stopping:
        first = stopping[0]
        raise Refused(
            f"还有 {len(stopping)} 处须改正，没有提交。{first.label}：{first.text}"
            f"依据：{first.clause}。"
        )


def closed_text(window: Window, evaluation: SpecialtyEvaluation, instant: datetime) -> str:
    """That nothing is received now, when it is again, and by which clause."""
    return (
        f"{instant.astimezone(TZ):%Y-%m-%d %H:%M} 不在专业评估受理期（每年 4 月、10 月）内，"
        "没有提交，草稿已保留。"
        f"下一个受理期为 {window.opens:%Y-%m-%d} 至 {window.closes:%Y-%m-%d} 24:00，请届时提交；"
        "确需提前的，可向受理单位申请增开受理期。"
        f"依据：{clause(evaluation.training_level, '一1')}。"
    )


def _judge_correction(evaluation: SpecialtyEvaluation, arrived_at: datetime) -> None:
    until = evaluation.correction_until
    if until is None or civil_date(arrived_at) > until:
        raise Refused(
            f"补正期限为 {until} 24:00，已经过期，没有提交。"
            "请撤回这份申请，在受理期内另行提交，或联系受理单位。"
            f"依据：{CORRECTION_CLAUSE}。"
        )


def _register(session: Session, evaluation: SpecialtyEvaluation, arrived_at: datetime) -> None:
    """The number is given once, and no sooner than everything else has been judged."""
    evaluation.arrived_at = arrived_at
    evaluation.unlocked = evaluation.correction_until = None
    if evaluation.number is None:
        year = civil_date(arrived_at).year
        evaluation.number = numbers(session, "evaluation", "PG", year)[0]


def _freeze(
    session: Session,
    portal: Portal,
    actor: Actor,
    evaluation: SpecialtyEvaluation,
    arrived_at: datetime,
    kept: SignedSubmission | None,
) -> EvaluationSubmission:
    sequence = len(evaluation.submissions) + 1
    content = canonical(_content(portal.vault, evaluation, sequence, arrived_at))
    digest = sha256(content).hexdigest()
    submission = EvaluationSubmission(
        sequence=sequence,
        arrived_at=arrived_at,
        content_sealed=portal.vault.seal(*_PLACE, digest.encode(), content.decode()),
        digest=digest,
        submitted_by_id=actor.user_id,
        signed=kept,
    )
    evaluation.submissions.append(submission)
    session.flush()
    return submission


def _content(
    vault: Vault, evaluation: SpecialtyEvaluation, sequence: int, arrived_at: datetime
) -> Content:
    school = evaluation.school
    return {
        "kind": "specialty-evaluation",
        "number": evaluation.number,
        "sequence": sequence,
        "arrived_at": arrived_at.astimezone(TZ).isoformat(timespec="microseconds"),
        "school": {"uscc": school.uscc, "name": school.name},
        "training_level": evaluation.training_level.value,
        "fields": evaluations.fields(vault, evaluation),
        "lines": [
            {
                "id": line.id,
                "specialty_code": line.specialty.code,
                "specialty": line.specialty.name,
                **line.project.columns(),
            }
            for line in evaluation.lines
        ],
        "programmes": [
            {
                "id": programme.id,
                "specialty_code": programme.specialty.code,
                "specialty": programme.specialty.name,
                "file_name": programme.file_name,
                "media_type": programme.media_type,
                "size": programme.size,
                "sha256": programme.sha256,
            }
            for programme in evaluation.programmes
        ],
    }


def one(evaluation: SpecialtyEvaluation, sequence: int) -> EvaluationSubmission:
    """The application's submission of that sequence, from 1. Raises NotFound."""
    found = next((one for one in evaluation.submissions if one.sequence == sequence), None)
    if found is None:
        raise NotFound("EvaluationSubmission")
    return found


def frozen(vault: Vault, submission: EvaluationSubmission) -> bytes:
    """The very bytes that the receipt's hash is of. Raises Unreadable."""
    return vault.unseal(*_PLACE, submission.digest.encode(), submission.content_sealed).encode()


def content_of(vault: Vault, submission: EvaluationSubmission) -> Content:
    """What was handed in, as it was. Raises Unreadable."""
    found: Content = json.loads(frozen(vault, submission))
    return found


def withdraw(
    session: Session, portal: Portal, actor: Actor, evaluation: SpecialtyEvaluation, reason: str
) -> None:
    """Take back what was handed in and not yet accepted. Raises Refused, also without a reason."""
    evaluations.hold(session, actor, evaluation)
    if not trimmed(reason):
        raise Refused("请写明撤回的理由。")
    apply(
        session,
        EVALUATION_WORKFLOW,
        evaluation,
        EvaluationAction.WITHDRAW,
        Role.SCHOOL,
        actor=actor,
        at=portal.clock(),
        reason=trimmed(reason),
    )


def differences(before: Content, after: Content) -> list[Difference]:
    """What a submission changed of the one before: fields, lines, documents."""
    fields = [
        Difference("field", label, before["fields"][name], after["fields"][name])
        for name, label in ANNEX_FIELDS.items()
        if before["fields"][name] != after["fields"][name]
    ]
    lines = _compared("line", "申报项目", _by_id(before, "lines"), _by_id(after, "lines"))
    files = _compared(
        "programme", "佐证材料", _by_id(before, "programmes"), _by_id(after, "programmes")
    )
    return [*fields, *lines, *files]


def _by_id(content: Content, part: str) -> dict[int, str]:
    shown = _line_text if part == "lines" else _programme_text
    return {row["id"]: shown(row) for row in content[part]}


def _compared(
    kind: str, label: str, before: dict[int, str], after: dict[int, str]
) -> Iterator[Difference]:
    for key in dict.fromkeys((*before, *after)):
        old, new = before.get(key, ""), after.get(key, "")
        if old != new:
            yield Difference(kind, label, old, new)


def _line_text(row: Content) -> str:
    project = Project.of_columns(row)
    return f"{row['specialty']}：{project.code} {project.label}"


def _programme_text(row: Content) -> str:
    return f"{row['specialty']}：{row['file_name']}（SHA-256 {row['sha256'][:12]}…）"
