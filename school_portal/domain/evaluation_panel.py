"""Who may sit on a panel, and who is proposed first (rulebook 1 and 5, 3)."""

from collections.abc import Iterable
from dataclasses import dataclass

from school_portal.domain.levels import TrainingLevel
from school_portal.domain.policy import Policy
from school_portal.domain.specialty_evaluation import belongs_to, clause, is_panel, may_belong_to
from school_portal.domain.violations import policy_clause

_SOURCE = f"（依据：{policy_clause('own_experts_excluded')}）"


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
    """An expert for one panel: the fields that fit, and why not; `objection` empty for none.

    `doubtful`: the objection falls once the centre has stated the employer's code.
    """

    expert: Pooled
    matches: tuple[str, ...]
    objection: str
    doubtful: bool = False


def objection(expert: Pooled, applicant: Applicant, policy: Policy) -> str:
    """Why this expert may not judge this school's specialties, in Chinese; empty for none.

    The policy can allow an organisation's own experts; what an expert declared holds anyway.
    """
    return _certain(expert, applicant, policy) or _doubt(expert, applicant, policy)


def _certain(expert: Pooled, applicant: Applicant, policy: Policy) -> str:
    if policy.own_experts_excluded and belongs_to(*_names(expert, applicant)):
        return f"{expert.name}的工作单位是申请学校{_SOURCE}"
    if expert.declared:
        return f"{expert.name}曾对该校声明回避{_SOURCE}"
    if not expert.active:
        return f"{expert.name}的账户已停用"
    return ""


def _doubt(expert: Pooled, applicant: Applicant, policy: Policy) -> str:
    if not policy.own_experts_excluded or not may_belong_to(*_names(expert, applicant)):
        return ""
    return (
        f"{expert.name}的工作单位“{expert.employer}”可能就是申请学校，须由市职业技能鉴定中心核实，"
        f"不是同一单位的，在专家库中填明其统一社会信用代码{_SOURCE}"
    )


def _names(expert: Pooled, applicant: Applicant) -> tuple[str, str, str, str]:
    return expert.employer, expert.employer_uscc, applicant.school, applicant.school_uscc


def ranked(pool: Iterable[Pooled], applicant: Applicant, policy: Policy) -> list[Candidate]:
    """All of the pool: who may sit first, then by fields that fit, load, name."""
    return sorted((_candidate(one, applicant, policy) for one in pool), key=_rank)


def _candidate(one: Pooled, applicant: Applicant, policy: Policy) -> Candidate:
    certain, doubt = _certain(one, applicant, policy), _doubt(one, applicant, policy)
    fits = tuple(sorted(one.fields & applicant.occupations))
    return Candidate(one, fits, certain or doubt, doubtful=bool(doubt and not certain))


def _rank(one: Candidate) -> tuple[bool, int, int, str, int]:
    expert = one.expert
    return bool(one.objection), -len(one.matches), expert.load, expert.name, expert.key


def size_refusal(size: int, training_level: TrainingLevel, policy: Policy) -> str:
    """Why so many experts make no panel, in Chinese; empty where they do."""
    if is_panel(size, policy.panel_size):
        return ""
    return (
        f"选了 {size} 名专家，专家组须为单数且不少于 {policy.panel_size} 名，请增减后重新提交"
        f"（依据：{clause(training_level, '一2')}；{policy_clause('panel_size')}）。"
    )
