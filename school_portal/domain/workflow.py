"""Transition tables: state × action × role → state; one table per workflow."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Generic, TypeVar

from school_portal.domain.labels import LabelledEnum


class Role(LabelledEnum):
    """The parties of rulebook 1, and the workers that act for nobody."""

    SCHOOL = "school", "职业院校"
    TEACHING_OFFICE = "teaching_office", "市教委教研室"
    VOCATIONAL_DIVISION = "vocational_division", "市教委职教处"
    CENTRE = "centre", "市职业技能鉴定中心"
    EXPERT = "expert", "评估专家"
    INDUSTRY = "industry", "行业主管部门"
    DISTRICT = "district", "区人力资源社会保障局"
    BUREAU = "bureau", "市人力资源社会保障局"
    BODY = "body", "评价机构"
    INSPECTOR = "inspector", "质量督导员"
    PUBLIC = "public", "公众"
    ADMIN = "admin", "系统管理员"
    SYSTEM = "system", "系统"


S = TypeVar("S", bound=StrEnum)
A = TypeVar("A", bound=StrEnum)


class TransitionRefused(Exception):
    """The table has no such move."""

    def __init__(self, state: StrEnum, action: StrEnum, role: Role) -> None:
        super().__init__(f"{role} may not {action} what is {state}")
        self.state = state
        self.action = action
        self.role = role


@dataclass(frozen=True, slots=True)
class Transition(Generic[S, A]):
    """From any of the states, by any of the roles, the action leads to the target.

    `condition` says in Chinese what else must hold; whoever applies the move judges it.
    """

    sources: frozenset[S]
    action: A
    roles: frozenset[Role]
    target: S
    condition: str = ""


class Workflow(Generic[S, A]):
    """One workflow's table; what it does not list is refused. `title` is Chinese."""

    def __init__(self, title: str, transitions: Iterable[Transition[S, A]]) -> None:
        self.title = title
        self.transitions = tuple(transitions)
        table: dict[tuple[S, A, Role], S] = {}
        for transition in self.transitions:
            for state in transition.sources:
                for role in transition.roles:
                    key = (state, transition.action, role)
                    if key in table:
                        raise ValueError(f"two transitions for {key}")
                    table[key] = transition.target
        self.table: Mapping[tuple[S, A, Role], S] = MappingProxyType(table)

    def is_final(self, state: S) -> bool:
        """Whether nothing follows the state any more."""
        return not any(source == state for source, _, _ in self.table)

    def after(self, state: S, action: A, role: Role) -> S:
        """The state that follows. Raises TransitionRefused."""
        try:
            return self.table[state, action, role]
        except KeyError:
            raise TransitionRefused(state, action, role) from None

    def actions(self, state: S, role: Role) -> tuple[A, ...]:
        """What the role may do now, in the table's order."""
        return tuple(a for (source, a, who) in self.table if source == state and who == role)
