"""Applications for specialty evaluation in every stage up to their receipt."""

from __future__ import annotations

import io
import zipfile
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from school_portal.domain.facts import Basis
from school_portal.domain.levels import Level, TrainingLevel
from school_portal.domain.projects import Project
from school_portal.domain.specialty_evaluation import (
    EVALUATION_WORKFLOW,
    RECEIVERS,
    EvaluationAction,
)
from school_portal.domain.workflow import Role
from school_portal.models import BodyProject, EvaluationSubmission, School, SpecialtyEvaluation
from school_portal.services import evaluations, submissions, training_programmes
from school_portal.services.access import Actor
from school_portal.services.portal import Portal
from school_portal.services.transitions import apply
from tests.factories.operation import DRINKS, NURSE, Operation

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"
DRINKS_4 = Project("4-03-02-10", "调饮师", "", Level.INTERMEDIATE)
DRINKS_3 = Project("4-03-02-10", "调饮师", "", Level.SENIOR)
NURSE_5 = Project("4-14-01-02", "医疗护理员", "", Level.JUNIOR)
WRITTEN: dict[str, Any] = {
    "legal_representative": "甲校长",
    "leader": "乙主任",
    "leader_phone": "13800000001",
    "contact": "丙老师",
    "contact_phone": "021-62748577",
    "address": "上海市示例路 1 号",
    "school_opinion": "同意申报",
}


@dataclass(frozen=True)
class Desk:
    """A school's operator with everything that its services ask for."""

    session: Session
    portal: Portal
    school: School
    actor: Actor

    @classmethod
    def of(cls, session: Session, portal: Portal, school: School) -> Desk:
        return cls(session, portal, school, Actor(None, Role.SCHOOL, school.id, "user:test"))

    def draft(self, level: TrainingLevel = TrainingLevel.SECONDARY) -> SpecialtyEvaluation:
        return evaluations.draft(self.session, self.portal, self.actor, self.school, level)

    def save(self, evaluation: SpecialtyEvaluation, **written: str) -> None:
        evaluations.save(
            self.session, self.portal, self.actor, evaluation, written, evaluation.version
        )

    def add(self, evaluation: SpecialtyEvaluation, project: Project = DRINKS_4) -> int:
        specialty = self.school.specialties[0].id
        line = evaluations.add_line(
            self.session, self.portal, self.actor, evaluation, specialty, project
        )
        return line.id

    def attach(
        self, evaluation: SpecialtyEvaluation, content: bytes = PDF, name: str = "人才培养方案.pdf"
    ) -> int:
        specialty, stream = self.school.specialties[0].id, io.BytesIO(content)
        made = training_programmes.attach(
            self.session, self.portal, self.actor, evaluation, specialty, stream, name
        )
        return made.id

    def complete(self) -> SpecialtyEvaluation:
        """A draft of which nothing is missing."""
        made = self.draft()
        self.save(made, **WRITTEN)
        self.add(made)
        self.attach(made)
        return made

    def submit(
        self, evaluation: SpecialtyEvaluation, arrived_at: datetime | None = None
    ) -> EvaluationSubmission:
        at = arrived_at or self.portal.clock()
        return submissions.submit(self.session, self.portal, self.actor, evaluation, at)

    def decide(self, evaluation: SpecialtyEvaluation, action: EvaluationAction) -> None:
        """What the receiving office does; a return unlocks what the test sets."""
        office = RECEIVERS[evaluation.training_level]
        apply(self.session, EVALUATION_WORKFLOW, evaluation, action, office, reason="请补正")


def carry_more(session: Session, operation: Operation) -> None:
    """The social body also carries 调饮师 level 3 and 医疗护理员 level 5."""
    for level, project in ((3, DRINKS), (5, NURSE)):
        session.add(
            BodyProject(body_id=operation.social.id, basis=Basis.STANDARD, level=level, **project)
        )
    session.flush()


def zipped(*names: str) -> bytes:
    """A zip with files of those names."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name), "<x/>")  # of no day: the same bytes each time
    return content.getvalue()
