"""Who may sit on a panel, and who is proposed first (rulebook 1 and 5, 3)."""

from collections.abc import Iterable
from dataclasses import dataclass

from school_portal.domain.levels import TrainingLevel
from school_portal.domain.specialty_evaluation import (
    INDEPENDENCE_POLICY,
    PANEL_CLAUSES,
    SIZE_POLICY,
    belongs_to,
    is_panel,
)


@dataclass(frozen=True, slots=True)
class Pooled:
    """An expert of the pool; `load` counts the panels that wait for an opinion.

    `declared`: withdrew (回避) from a panel for the school in question before.
    """

    key: int
    name: str
    employer: str
    employer_uscc: str
    fields: frozenset[str]
    load: int
    active: bool = True
    declared: bool = False


@dataclass(frozen=True, slots=True)
class Applicant:
    """Whose specialties are judged, and the occupations that the application names."""

    school: str
    school_uscc: str
    training_level: TrainingLevel
    occupations: frozenset[str]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An expert for one panel: the fields that fit, and why not; `objection` empty for none."""

    expert: Pooled
    matches: tuple[str, ...]
    objection: str


def objection(expert: Pooled, applicant: Applicant) -> str:
    """Why this expert may not judge this school's specialties, in Chinese; empty for none."""
    if belongs_to(expert.employer, expert.employer_uscc, applicant.school, applicant.school_uscc):
        return f"{expert.name}的工作单位是申请学校（依据：{INDEPENDENCE_POLICY}）"
    if expert.declared:
        return f"{expert.name}曾对该校声明回避（依据：{INDEPENDENCE_POLICY}）"
    if not expert.active:
        return f"{expert.name}的账户已停用"
    return ""


def ranked(pool: Iterable[Pooled], applicant: Applicant) -> list[Candidate]:
    """All of the pool: who may sit first, then by fields that fit, load, name."""
    found = [
        Candidate(one, tuple(sorted(one.fields & applicant.occupations)), objection(one, applicant))
        for one in pool
    ]
    return sorted(
        found,
        key=lambda c: (
            bool(c.objection),
            -len(c.matches),
            c.expert.load,
            c.expert.name,
            c.expert.key,
        ),
    )


def size_refusal(size: int, training_level: TrainingLevel) -> str:
    """Why so many experts make no panel, in Chinese; empty where they do."""
    if is_panel(size):
        return ""
    return (
        f"选了 {size} 名专家，专家组须为单数且不少于三名，请增减后重新提交"
        f"（依据：{PANEL_CLAUSES[training_level]}；{SIZE_POLICY}）。"
    )
