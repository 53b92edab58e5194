"""What each printed form holds: plain texts, days and levels, as the annexes name them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from school_portal.domain.levels import Level, TrainingLevel


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What every form bears: the record's number, state and verification page; the day of issue.

    Each of `copies` is a whole form with its own page numbers.
    """

    number: str
    status_text: str
    verification_url: str
    issued: date
    copies: int = 1


@dataclass(frozen=True, slots=True)
class ProjectLine:
    """A specialty and the project applied for; the occupation as `Occupation.label`."""

    specialty: str
    occupation: str
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationForm(Form):
    """职业技能评价专业评估申请表, annex 1 of 沪职鉴中心〔2021〕17号 and of the letter for colleges.

    In three copies (its note 4). What is not given stays blank, to be filled in by hand.
    """

    copies: int = 3
    training_level: TrainingLevel
    school: str
    legal_representative: str
    leader: str
    leader_phone: str
    contact: str
    contact_phone: str
    address: str
    lines: tuple[ProjectLine, ...]
    school_opinion: str = ""
    sealed_on: date | None = None


@dataclass(frozen=True, slots=True)
class AccountLine:
    """An occupation and level that the school asks for."""

    occupation: str
    level: Level


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountForm(Form):
    """团体申报开户申请表（学校）, annex 2 of the same; its original goes to the centre's window."""

    school: str
    legal_representative: str
    district: str
    leader: str
    leader_mobile: str
    contact: str
    contact_mobile: str
    operator: str
    operator_document_number: str
    operator_key_id: str
    is_dual_certificate: bool
    lines: tuple[AccountLine, ...]
    school_opinion: str = ""
    handler: str = ""
    handled_on: date | None = None
    sealed_on: date | None = None


@dataclass(frozen=True, slots=True)
class PanelMember:
    """An expert of the panel, who signs beside the name."""

    name: str
    employer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionLine:
    """The panel's opinion on one line: the votes, the majority's conclusion and its reasons."""

    specialty: str
    occupation: str
    level: Level
    votes_for: int
    votes_against: int
    is_approved: bool
    reasons: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OpinionForm(Form):
    """专家组评估意见表 (沪职鉴中心〔2021〕17号 一3 and the letter for colleges 一3).

    The training level says whose seals it bears: secondary the centre's and the teaching
    office's, higher the vocational division's.
    """

    training_level: TrainingLevel
    school: str
    application_number: str
    members: tuple[PanelMember, ...]
    lines: tuple[OpinionLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionLine:
    """One decision; `node` is empty on the qualification route (rulebook 4)."""

    route: str
    node: str
    occupation: str
    level: Level
    is_granted: bool
    decided_on: date
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PermissionNotice(Form):
    """申报权限通知: what the centre granted a school and what not (沪职鉴中心〔2021〕17号 二3)."""

    school: str
    lines: tuple[PermissionLine, ...]
