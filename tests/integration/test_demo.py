"""What `make run` shows, whatever the day."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from school_portal.cli.applications import plan_lines
from school_portal.cli.processes import Supervisor
from school_portal.demo import __main__ as demo
from school_portal.demo.__main__ import FEW, SAMPLE, TO_TRY, prepare
from school_portal.demo.operation import COLLEGE, SECONDARY
from school_portal.demo.people import EXPERTS, PEOPLE
from school_portal.domain.levels import TrainingLevel
from school_portal.domain.roster import Route
from school_portal.domain.specialty_evaluation import EvaluationState
from school_portal.domain.workflow import Role
from school_portal.models import Notice, Permission, SpecialtyEvaluation, User
from school_portal.services import checking, rosters, saving, worklist
from school_portal.services.access import Actor, school_of
from school_portal.services.portal import Portal
from school_portal.services.windows import window_at
from tests.conftest import FakeClock


@pytest.mark.parametrize(
    "now",
    [
        datetime(2026, 10, 1, 0, 5, tzinfo=UTC),
        datetime(2026, 10, 31, 15, 0, tzinfo=UTC),
        datetime(2026, 11, 21, 2, 0, tzinfo=UTC),
        datetime(2027, 2, 3, 2, 0, tzinfo=UTC),  # its working days are not loaded
        datetime(2027, 4, 2, 2, 0, tzinfo=UTC),
    ],
)
def test_the_demonstration_shows_every_state_and_gives_everybody_work(
    session: Session, portal: Portal, clock: FakeClock, tmp_path: Path, now: datetime
) -> None:
    clock.now = now
    folder = tmp_path / "demo"
    passwords = prepare(session, portal, folder)
    assert prepare(session, portal, folder) == passwords

    states = {state for (state,) in session.query(SpecialtyEvaluation.state)}
    assert states == set(EvaluationState)
    assert session.query(Permission).filter(Permission.request_id.is_not(None)).count() == 2
    assert session.query(Notice).filter(Notice.at > now).count() == 0
    for level in TrainingLevel:
        assert window_at(session, now, level, None).open
    assert passwords.keys() == {*PEOPLE, *EXPERTS}
    busy = {
        user.role
        for user in session.query(User).all()
        if worklist.items(session, portal, Actor.of(user))
    }
    assert busy >= {Role.TEACHING_OFFICE, Role.VOCATIONAL_DIVISION, Role.CENTRE, Role.EXPERT}
    assert Role.SCHOOL in busy


def test_the_rosters_to_try_are_of_different_people(
    session: Session, portal: Portal, tmp_path: Path
) -> None:
    folder = tmp_path / "demo"
    prepare(session, portal, folder)
    school, college = school_of(session, SECONDARY.uscc), school_of(session, COLLEGE.uscc)
    actor = Actor.operator_at_the_console(school.id)
    with (folder / SAMPLE).open("rb") as stream:
        roster = rosters.upload(session, portal, actor, school.id, stream, SAMPLE)
    for _ in rosters.read(session, portal, roster.id):
        session.commit()
    rosters.confirm(session, portal, actor, roster, accept_valid=True)
    saving.save(session, portal, roster.id)
    assert (roster.created, roster.rejected) == (55, 5)
    with (folder / TO_TRY).open("rb") as stream:
        document = checking.check_document(
            session, portal, college.id, stream, TO_TRY, today=portal.today()
        )
    assert [one["code"] for one in document["issues"]] == ["cell.mobile"]


def test_a_run_after_real_use_tells_counts_and_the_first_few() -> None:
    group = {
        "occupation": "调饮师",
        "direction": "",
        "level": 4,
        "route": Route.SKILL_LEVEL.value,
        "body_name": "示例社会培训评价组织",
        "students": [f"{number:04d}" for number in range(200)],
    }
    reason = {"message": "学校没有权限。", "clause": "沪人社职〔2021〕401号 三"}
    document = {
        "on": "2026-10-15",
        "applications": [group] * 40,
        "held": [{}] * 12,
        "excluded": [{"student_no": "1", "reasons": [reason]}] * 9956,
    }
    told = list(plan_lines(document, "已生成", FEW))
    assert told[0] == "2026-10-15：已生成 40 份团体申报，共 8000 名学生"
    assert told[2] == "    学号：0000、0001、0002，另有 197 名"
    assert told[7:10] == ["  另有 37 份", "已在申报中：12 名学生", "未列入：9956 名学生"]
    assert told[-1] == "  另有 9953 名"
    assert len(told) == 17
    assert len(list(plan_lines(document, "将生成"))) == 1 + 2 * 40 + 2 + 2 * 9956


def test_the_sample_roster_is_told_as_shortly(
    session: Session, portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(session, portal, tmp_path / "demo")
    issue = {"severity": "error", "message": "第 7 行有误。", "code": "cell.mobile"}
    facts = {
        "name": SAMPLE,
        "rows": 9000,
        "ignored_columns": [],
        "hidden_rows": 0,
        "hidden_sheets": [],
    }
    counts = dict.fromkeys(("accepted", "rejected", "created", "updated", "unchanged"), 0)
    imported = {"file": facts, "issues": [issue] * 9000, "roster": 1, **counts}
    made: dict[str, Any] = {"on": "2026-10-15", "applications": [], "held": [], "excluded": []}
    made["excluded"] = [{"student_no": "1", "reasons": []}] * 9000
    monkeypatch.setattr(demo, "import_uploaded", lambda *_, **__: imported)
    monkeypatch.setattr(demo, "generated", lambda *_: made)
    told = list(demo._main_job(session, portal, Supervisor(), tmp_path / "demo" / SAMPLE))
    assert "另有 8997 处" in told
    assert "  另有 8997 名" in told
    assert len(told) < 20


def test_a_person_s_name_is_only_a_name(session: Session, portal: Portal, tmp_path: Path) -> None:
    """How far an account is stands beside the school, on its page."""
    prepare(session, portal, tmp_path / "demo")
    assert [name for (name,) in session.query(User.name) if set(name) & set("（未已")] == []
