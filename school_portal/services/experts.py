"""The expert pool, kept by the centre: what each knows, and whom each belongs to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session, contains_eager

from school_portal.domain.evaluation_panel import Pooled
from school_portal.domain.identifiers import uscc_is_valid
from school_portal.domain.labels import fold
from school_portal.domain.specialty_evaluation import EvaluationState
from school_portal.domain.texts import trimmed
from school_portal.domain.workflow import Role
from school_portal.models import (
    BodyProject,
    CatalogueOccupation,
    Expert,
    Panel,
    PanelMember,
    SpecialtyEvaluation,
    User,
)
from school_portal.security import audit
from school_portal.services import accounts
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.portal import Portal


@dataclass(frozen=True, slots=True)
class Profile:
    """What the pool knows of an expert; `fields` are occupations' names."""

    employer: str
    employer_uscc: str
    fields: tuple[str, ...]


def pool(session: Session) -> Sequence[Expert]:
    """All experts, by name."""
    return session.scalars(
        sa.select(Expert)
        .join(Expert.user)
        .options(contains_eager(Expert.user))
        .order_by(User.name, Expert.id)
    ).all()


def one(session: Session, expert_id: int) -> Expert:
    """The expert. Raises NotFound."""
    found = session.get(Expert, expert_id)
    if found is None:
        raise NotFound("Expert")
    return found


def loads(session: Session) -> dict[int, int]:
    """How many panels each expert still owes an opinion, by the expert's id."""
    found = session.execute(
        sa.select(PanelMember.expert_id, sa.func.count())
        .join(PanelMember.panel)
        .join(Panel.evaluation)
        .where(
            PanelMember.finished_at.is_(None),
            PanelMember.recused_at.is_(None),
            SpecialtyEvaluation.state == EvaluationState.UNDER_PANEL_REVIEW,
        )
        .group_by(PanelMember.expert_id)
    )
    return {row.expert_id: row[1] for row in found}


def add(
    session: Session,
    portal: Portal,
    actor: Actor,
    profile: Profile,
    *,
    username: str,
    name: str,
    password: str,
    initial: bool = False,
) -> Expert:
    """A new expert, who can sign in; for `initial` see accounts.create_user.

    Raises NotFound for whoever is not the centre, Refused.
    """
    _the_centre(actor)
    checked = _checked(session, profile)
    user = accounts.create_user(
        session,
        actor,
        portal.clock(),
        username=username,
        name=name,
        password=password,
        role=Role.EXPERT,
        initial=initial,
    )
    expert = Expert(
        user=user,
        employer=checked.employer,
        employer_uscc=checked.employer_uscc,
        fields=list(checked.fields),
    )
    session.add(expert)
    session.flush()
    _record(session, portal, actor, expert, "expert.add")
    return expert


def edit(session: Session, portal: Portal, actor: Actor, expert: Expert, profile: Profile) -> None:
    """Another employer or other fields. Raises NotFound for whoever is not the centre, Refused."""
    _the_centre(actor)
    checked = _checked(session, profile)
    expert.employer, expert.employer_uscc = checked.employer, checked.employer_uscc
    expert.fields = list(checked.fields)
    _record(session, portal, actor, expert, "expert.edit")


def known_occupations(session: Session) -> list[str]:
    """The names of all occupations of the register, in or out of force."""
    names = sa.union(sa.select(CatalogueOccupation.name), sa.select(BodyProject.occupation))
    return sorted(session.scalars(names))


def as_pooled(expert: Expert, load: int, declared: bool) -> Pooled:
    """The expert as the rules see one; `declared`: withdrew from a panel for this school."""
    return Pooled(
        key=expert.id,
        name=expert.user.name,
        employer=expert.employer,
        employer_uscc=expert.employer_uscc,
        fields=frozenset(expert.fields),
        load=load,
        active=expert.user.active,
        declared=declared,
    )


def _the_centre(actor: Actor) -> None:
    if actor.role is not Role.CENTRE:
        raise NotFound("Expert")


def _checked(session: Session, profile: Profile) -> Profile:
    uscc = fold(profile.employer_uscc).upper()
    if not trimmed(profile.employer):
        raise Refused("请填写专家的工作单位：专家不评估所属单位，须据此判断回避。")
    if uscc and not uscc_is_valid(uscc):
        raise Refused("工作单位的统一社会信用代码不对，请核对后改正，不清楚时可以不填。")
    fields = _distinct(profile.fields)
    unknown = [name for name in fields if name not in known_occupations(session)]
    if unknown:
        named = "、".join(f"“{name}”" for name in unknown)
        raise Refused(f"评价项目目录内没有职业{named}，请按目录中的职业名称填写专业领域。")
    return Profile(trimmed(profile.employer), uscc, fields)


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for name in map(fold, names) if name))


def _record(session: Session, portal: Portal, actor: Actor, expert: Expert, action: str) -> None:
    audit.record(session, actor.label, action, f"expert:{expert.id}", at=portal.clock())
