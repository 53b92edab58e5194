"""Every code has its words, every clause its wording, every state its look."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from school_portal.blueprints.clauses import cited
from school_portal.blueprints.identity import paused
from school_portal.blueprints.looks import state_look
from school_portal.blueprints.rendering import day, grouped, moment, size
from school_portal.blueprints.school.issue_names import ISSUE_NAMES
from school_portal.domain.group_application import ApplicationState, MemberState
from school_portal.domain.levels import TrainingLevel
from school_portal.domain.policy import POLICY_NAMES
from school_portal.domain.roster import RosterState
from school_portal.domain.violations import ISSUES, RULES, policy_clause
from school_portal.services.lockouts import Locked

REPOSITORY = Path(__file__).parents[3]
SPOKEN = [
    path
    for folder, ending in (("templates", "html"), ("school_portal", "py"), ("school_portal", "typ"))
    for path in (REPOSITORY / folder).rglob(f"*.{ending}")
]
CITATIONS = {
    *map(policy_clause, POLICY_NAMES),
    *(clause for rule in RULES.values() for one in TrainingLevel for clause in rule.clauses(one)),
}


@pytest.mark.parametrize("citation", sorted(CITATIONS))
def test_every_clause_that_a_refusal_cites_has_its_wording(citation: str) -> None:
    [clause] = cited(citation)
    assert clause.id
    assert clause.text


def test_a_joined_citation_is_one_link_a_clause() -> None:
    found = cited("沪人社职〔2021〕401号 一；沪职鉴中心〔2021〕17号 一")
    assert [clause.id for clause in found] == ["n401-1", "n17s-1"]


def test_every_kind_of_finding_has_a_name() -> None:
    assert ISSUE_NAMES.keys() == ISSUES.keys()


@pytest.mark.parametrize("state", [*RosterState, *ApplicationState, *MemberState])
def test_every_state_has_a_word_and_an_icon(state: RosterState) -> None:
    assert state_look(state).word
    assert state_look(state).icon


def test_states_of_two_workflows_are_not_confused() -> None:
    assert state_look(RosterState.FAILED) != state_look(MemberState.FAILED)


@pytest.mark.parametrize(
    "written, expected",
    [
        (day(date(2026, 10, 15)), "2026-10-15（周四）"),
        (day(datetime(2026, 10, 15, 16, 0, tzinfo=UTC)), "2026-10-16（周五）"),
        (day(None), "—"),
        (moment(datetime(2026, 10, 15, 6, 32, tzinfo=UTC)), "2026-10-15（周四）14:32"),
        (grouped("310104********0026"), "310104 ******** 0026"),
        (grouped("E1****78"), "E1****78"),
        (size(900), "1 KB"),
        (size(3_565_158), "3.4 MB"),
    ],
)
def test_as_people_read_it(written: str, expected: str) -> None:
    assert written == expected


@pytest.mark.parametrize(("second", "told"), [(0, "14:32"), (1, "14:33"), (59, "14:33")])
def test_a_pause_is_over_at_the_minute_that_is_told(second: int, told: str) -> None:
    until = datetime(2026, 10, 15, 6, 32, second, tzinfo=UTC)
    assert f"）{told} 之后" in paused(Locked(until))


def test_what_comes_of_an_evaluation_has_one_word_everywhere() -> None:
    """通过 and 不通过; 同意 is what a school writes as its opinion, and nothing else."""
    other = re.compile(r"反对|同意(?!申[请报])")
    assert {
        path.name: found for path in SPOKEN if (found := other.findall(path.read_text("utf-8")))
    } == {}
