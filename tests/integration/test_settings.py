"""Policies, working days and extra windows: set by whom, from when, with what on record."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from io import StringIO

import pytest
from sqlalchemy.orm import Session

from school_portal.cli import main
from school_portal.domain.levels import TrainingLevel
from school_portal.domain.permission import PermissionState
from school_portal.domain.policy import Policy
from school_portal.domain.roster import Route
from school_portal.domain.windows import TZ
from school_portal.domain.workdays import NoticeRefused, YearNotLoaded
from school_portal.domain.workflow import Role
from school_portal.models import (
    AuditEvent,
    ExtraWindow,
    Permission,
    PolicyChange,
    School,
    User,
    WorkdayYear,
)
from school_portal.services import accounts, calendars, extra_windows, permissions, policies
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.portal import Portal
from school_portal.services.windows import window_at, windows_of
from tests.conftest import FakeClock
from tests.factories.operation import NURSE, Operation, running
from tests.factories.visitor import user

YEAR_2027 = """
2027-01-01 放假
2027-02-05放假
２０２７/2/6　放假
2027年2月7日 上班
2027-02-08,holiday
2027-02-09 放假
2027-02-10 放假
"""


@pytest.fixture
def operation(session: Session) -> Operation:
    return running(session)


def actor(session: Session, portal: Portal, role: Role) -> Actor:
    return Actor.of(user(session, portal, f"{role.value}-one", role=role))


def events(session: Session, action: str) -> int:
    session.commit()
    return session.query(AuditEvent).filter_by(action=action).count()


# Policies


def test_without_changes_the_defaults_hold(session: Session) -> None:
    assert policies.current(session) == Policy()


def test_the_newest_change_holds_and_all_are_kept(
    session: Session, portal: Portal, clock: FakeClock
) -> None:
    bureau = actor(session, portal, Role.BUREAU)
    policies.change(session, portal, bureau, "group_size", "150", "试行")
    policies.change(session, portal, bureau, "group_size", " 120 ", "再减")
    policies.change(session, portal, bureau, "once", "否", "允许重复")
    assert policies.current(session) == Policy(group_size=120, once=False)
    kept = [(one.old, one.new, one.reason) for one in policies.history(session, "group_size")]
    assert kept == [(150, 120, "再减"), (200, 150, "试行")]
    assert {one.user_id for one in policies.history(session, "group_size")} == {bureau.user_id}
    assert events(session, "policy.change") == 3


@pytest.mark.parametrize(
    "name, text, reason, told",
    [
        ("group_size", "0", "试行", "1 至 10000"),
        ("group_size", "二百", "试行", "整数"),
        ("group_size", "9" * 30, "试行", "整数"),
        ("panel_size", "1", "试行", "3 至 99"),
        ("once", "也许", "试行", "“是”或“否”"),
        ("group_size", "200", "试行", "没有更改"),
        ("group_size", "150", "  ", "理由"),
    ],
)
def test_what_does_not_fit_is_refused(
    session: Session, portal: Portal, name: str, text: str, reason: str, told: str
) -> None:
    bureau = actor(session, portal, Role.BUREAU)
    with pytest.raises(Refused, match=told):
        policies.change(session, portal, bureau, name, text, reason)
    assert session.query(PolicyChange).count() == 0


@pytest.mark.parametrize("role", [one for one in Role if one is not Role.BUREAU][1:6])
def test_only_the_bureau_sets_policy(session: Session, portal: Portal, role: Role) -> None:
    with pytest.raises(Refused, match="人力资源社会保障局"):
        policies.change(session, portal, Actor(1, role, None, "user:1"), "once", "否", "试行")


def test_a_permission_without_evaluation_is_the_policys_to_allow(
    session: Session, portal: Portal, operation: Operation
) -> None:
    bureau, centre = actor(session, portal, Role.BUREAU), actor(session, portal, Role.CENTRE)
    asked = [
        Permission(
            school_id=operation.school.id,
            route=Route.QUALIFICATION,
            state=PermissionState.REQUESTED,
            **NURSE,
            level=level,
        )
        for level in (4, 5)
    ]
    session.add_all(asked)
    session.flush()
    permissions.grant(session, portal, centre, [asked[0].id], confirmed_without_basis=True)
    policies.change(session, portal, bureau, "permission_without_evaluation", "否", "从严")
    with pytest.raises(Refused, match="本平台规则：没有评估结论也可开通权限"):
        permissions.grant(session, portal, centre, [asked[1].id], confirmed_without_basis=True)


def test_a_name_of_no_setting_is_not_found(session: Session, portal: Portal) -> None:
    with pytest.raises(NotFound):
        policies.history(session, "nothing")


# Working days


def test_a_loaded_year_is_counted_and_replaces_what_was_known(
    session: Session, portal: Portal
) -> None:
    admin = actor(session, portal, Role.ADMIN)
    with pytest.raises(YearNotLoaded):
        calendars.calendar(session).add_workdays(date(2027, 2, 4), 1)
    calendars.load_year(session, portal, admin, 2027, "通知", YEAR_2027)
    known = calendars.calendar(session)
    assert known.add_workdays(date(2027, 2, 4), 1) == date(2027, 2, 7)
    assert known.add_workdays(date(2027, 2, 4), 2) == date(2027, 2, 11)
    later = YEAR_2027.replace("2027年2月7日 上班", "2027-02-11 放假")
    calendars.load_year(session, portal, admin, 2027, "改后的通知", later)
    assert calendars.calendar(session).add_workdays(date(2027, 2, 4), 1) == date(2027, 2, 12)
    assert session.get_one(WorkdayYear, 2027).source == "改后的通知"
    assert calendars.years(session)[0].count("makeup") == 0
    assert events(session, "workdays.load") == 2


def test_every_error_of_a_notice_is_told_at_once(session: Session, portal: Portal) -> None:
    admin = actor(session, portal, Role.ADMIN)
    text = (
        "2027-01-01 放假\n2027-01-01 放假\n2026-12-31 放假\n2027-02-30 放假\n春节\n2027-02-08 上班"
    )
    with pytest.raises(NoticeRefused) as told:
        calendars.load_year(session, portal, admin, 2027, "通知", text)
    assert [line[:3] for line in told.value.errors] == ["第 2", "第 3", "第 4", "第 5", "第 6"]
    with pytest.raises(NoticeRefused) as few:
        calendars.load_year(session, portal, admin, 2027, "通知", "2027-01-01 放假")
    assert "不全" in few.value.errors[0]
    assert session.query(WorkdayYear).count() == 0


def test_only_an_administrator_loads_a_year(session: Session, portal: Portal) -> None:
    with pytest.raises(Refused):
        calendars.load_year(
            session, portal, actor(session, portal, Role.CENTRE), 2027, "通知", YEAR_2027
        )


def test_the_command_answers_for_a_loaded_year(
    session: Session,
    portal: Portal,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    admin = actor(session, portal, Role.ADMIN)
    calendars.load_year(session, portal, admin, 2027, "通知", YEAR_2027)
    session.commit()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        main(["calendar", "workdays", "--from", "2027-02-04", "--count", "2"])
    out = json.loads(capsys.readouterr().out)
    assert (ended.value.code, out) == (0, {"end": "2027-02-11"})


def test_a_person_is_made_with_an_address(
    session: Session,
    portal: Portal,
    environment: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    session.commit()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    line = ["users", "create", "--username", "wu", "--role", "expert", "--email"]
    for address, status in (("wu@example", 1), ("wu@example.cn", 0)):
        monkeypatch.setattr("sys.stdin", StringIO("correct horse battery\n"))
        with pytest.raises(SystemExit) as ended:
            main([*line, address])
        session.rollback()  # the command's process would end
        assert ended.value.code == status
    made = session.query(User).filter_by(username="wu").one()
    assert accounts.email_of(portal, made) == "wu@example.cn"


# Extra windows

NOVEMBER = datetime(2026, 11, 10, 2, tzinfo=UTC)


def at(day: date) -> datetime:
    return datetime.combine(day, datetime.min.time(), TZ)


def test_a_window_for_one_school_opens_for_it_alone(
    session: Session, portal: Portal, clock: FakeClock, operation: Operation
) -> None:
    clock.now = NOVEMBER
    office = actor(session, portal, Role.TEACHING_OFFICE)
    days = date(2026, 11, 9), date(2026, 11, 20)
    made = extra_windows.open_(session, portal, office, *days, "设备故障", operation.school)
    level = TrainingLevel.SECONDARY

    def is_open(school: School, when: datetime) -> bool:
        return window_at(session, when, level, school.id).open

    assert is_open(operation.school, NOVEMBER)
    assert not is_open(operation.other, NOVEMBER)
    assert not is_open(operation.school, at(date(2026, 11, 21)))
    assert not window_at(session, NOVEMBER, TrainingLevel.HIGHER, operation.school.id).open
    [(shown, window)] = windows_of(session, NOVEMBER, Role.SCHOOL, operation.school)
    assert (shown, window.closes.date()) == (level, days[1])
    extra_windows.end(session, portal, office, made.id)
    assert not is_open(operation.school, NOVEMBER)
    assert (events(session, "window.open"), events(session, "window.end")) == (1, 1)


@pytest.mark.parametrize(
    "days, reason, told",
    [
        ((date(2026, 11, 20), date(2026, 11, 19)), "延期", "早于开始日期"),
        ((date(2026, 11, 1), date(2026, 11, 9)), "延期", "已经过去"),
        ((date(2026, 11, 20), date(2026, 11, 21)), " ", "理由"),
    ],
)
def test_what_makes_no_window_is_refused(
    session: Session,
    portal: Portal,
    clock: FakeClock,
    days: tuple[date, date],
    reason: str,
    told: str,
) -> None:
    clock.now = NOVEMBER
    office = actor(session, portal, Role.TEACHING_OFFICE)
    with pytest.raises(Refused, match=told):
        extra_windows.open_(session, portal, office, *days, reason)
    today = date(2026, 11, 10)
    for _ in range(2):  # overlapping is fine
        extra_windows.open_(session, portal, office, today, today, "延期")
    assert session.query(ExtraWindow).count() == 2


def test_an_office_opens_and_ends_its_own_alone(
    session: Session, portal: Portal, operation: Operation, clock: FakeClock
) -> None:
    office = actor(session, portal, Role.TEACHING_OFFICE)
    division = actor(session, portal, Role.VOCATIONAL_DIVISION)
    days = portal.today(), portal.today()
    with pytest.raises(Refused, match="高职"):
        extra_windows.open_(session, portal, division, *days, "延期", operation.school)
    made = extra_windows.open_(session, portal, office, *days, "延期")
    with pytest.raises(NotFound):
        extra_windows.end(session, portal, division, made.id)
    with pytest.raises(Refused, match="受理单位"):
        extra_windows.open_(session, portal, actor(session, portal, Role.CENTRE), *days, "延期")
    assert list(extra_windows.listed(session, division)) == []
    extra_windows.end(session, portal, office, made.id)
    with pytest.raises(Refused, match="提前结束"):
        extra_windows.end(session, portal, office, made.id)
    over = extra_windows.open_(session, portal, office, *days, "延期")
    clock.now += timedelta(days=1)
    with pytest.raises(Refused, match="24:00 结束"):
        extra_windows.end(session, portal, office, over.id)
