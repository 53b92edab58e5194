"""The audit trail as centre and administrators read it."""

from __future__ import annotations

import csv
from datetime import timedelta
from io import BytesIO, StringIO

import pytest
import sqlalchemy as sa
from flask import Flask
from openpyxl import load_workbook
from sqlalchemy.orm import Session

from school_portal.domain.workflow import Role
from school_portal.models import AuditEvent, Job, JobState
from school_portal.security import audit
from school_portal.services.portal import Portal
from tests.conftest import NOW, FakeClock
from tests.factories.operation import running
from tests.factories.visitor import Visitor, user, work

PAGE = "/settings/audit"
TEXTS = ("actor", "action", "subject", "detail")


@pytest.fixture
def centre(app: Flask, session: Session, portal: Portal) -> Visitor:
    user(session, portal, "centre", role=Role.CENTRE)
    for number in range(60):
        audit.record(session, "system", "step.done", f"roster:{number}", at=NOW, note="=1+1")
    session.commit()
    visitor = Visitor(app)
    visitor.sign_in("centre")
    return visitor


def rows(centre: Visitor, query: str) -> list[dict[str, str]]:
    """The exported CSV of that query."""
    answer = centre.get(f"{PAGE}/export.csv?{query}")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    return list(csv.DictReader(StringIO(answer.data.decode("utf-8-sig"))))


@pytest.mark.parametrize("role", Role)
def test_centre_and_administrators_alone_read_it(
    app: Flask, session: Session, portal: Portal, role: Role
) -> None:
    school = running(session).school if role is Role.SCHOOL else None
    user(session, portal, "one", role=role, school=school)
    visitor = Visitor(app)
    visitor.sign_in("one")
    reads = role in (Role.CENTRE, Role.ADMIN)
    for path in (PAGE, f"{PAGE}/export.csv", f"{PAGE}/export.xlsx"):
        assert visitor.get(path).status_code == (200 if reads else 403), path
    assert visitor.post(f"{PAGE}/verify").status_code == (200 if reads else 403)


def test_pages_hold_still_while_events_are_added(centre: Visitor) -> None:
    first = centre.text(PAGE)
    assert "roster:59" in first
    onward = first.split('rel="next" href="')[1].split('"')[0].replace("&amp;", "&")
    second = centre.text(onward)
    shown = [number for number in range(60) if f">roster:{number}<" in first]
    assert not [number for number in shown if f">roster:{number}<" in second]
    assert ">roster:0<" in second


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("action=step.done", 60),
        ("action=step.done&since=2026-10-15&until=2026-10-15", 60),
        ("action=step.done&since=2026-10-16", 0),
        ("action=step.done&until=2026-10-14", 0),
        ("actor=系统", 60),
        ("actor=centre&action=step.done", 0),
        ("subject=roster", 60),
        ("subject=roster:5", 1),
        ("subject=roster:%25", 0),
        ("subject=roster&upto=11", 10),
    ],
)
def test_filters(centre: Visitor, query: str, expected: int) -> None:
    assert len(rows(centre, query)) == expected


def test_the_person_is_found_by_the_username(centre: Visitor) -> None:
    centre.text(PAGE)
    found = rows(centre, "actor=centre")
    assert {row["操作人"] for row in found} == {"张老师（市职业技能鉴定中心）"}
    assert "查看审计记录" in {row["事项"] for row in found}


def test_the_files_hold_what_is_shown_and_no_formula(centre: Visitor, session: Session) -> None:
    audit.record(session, "system", "=2+3", "roster:1", at=NOW)
    session.commit()
    (row,) = rows(centre, "action==2%2B3")
    assert row["事项代码"] == "'=2+3"
    answer = centre.get(f"{PAGE}/export.xlsx?action==2%2B3")
    sheet = load_workbook(BytesIO(answer.data)).active
    assert sheet is not None
    assert {cell.data_type for cell in sheet[2]} <= {"s", "inlineStr"}
    assert sheet["F2"].value == "=2+3"


def test_reading_and_exporting_are_on_the_trail(centre: Visitor, session: Session) -> None:
    centre.text(f"{PAGE}?actor=310104200903140010")
    rows(centre, "action=step.done")
    noted = session.scalars(
        sa.select(AuditEvent).where(AuditEvent.action.startswith("audit.")).order_by(AuditEvent.seq)
    ).all()
    assert [(one.action, one.detail["events"]) for one in noted] == [
        ("audit.view", 0),
        ("audit.export", 60),
    ]
    assert "310104" not in str([one.detail for one in noted])


def test_the_chain_is_walked_by_a_worker(
    centre: Visitor, session: Session, portal: Portal, clock: FakeClock
) -> None:
    assert "还没有在这里核对过" in centre.text(PAGE)
    centre.post(f"{PAGE}/verify")
    assert "正在核对" in centre.text(PAGE)
    assert centre.post(f"{PAGE}/verify").status_code == 409
    work(session, portal)
    assert "未发现改动" in centre.text(PAGE)
    session.execute(sa.update(AuditEvent).where(AuditEvent.seq == 7).values(subject="roster:0"))
    session.commit()
    clock.now += timedelta(minutes=1)
    centre.post(f"{PAGE}/verify")
    work(session, portal)
    assert "第 7 条审计记录的内容已被改动" in centre.text(PAGE)


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.QUARANTINED])
def test_a_walk_that_did_not_end_is_told_beside_the_one_that_did(
    centre: Visitor, session: Session, portal: Portal, clock: FakeClock, state: JobState
) -> None:
    def ask() -> None:
        clock.now += timedelta(minutes=1)
        assert centre.post(f"{PAGE}/verify").status_code == 200

    def break_off() -> str:
        ask()
        waiting = sa.select(Job).where(Job.state == JobState.QUEUED)
        session.scalars(waiting).one().state = state
        session.commit()
        return centre.text(PAGE)

    assert "核对没有完成" in break_off()
    ask()
    work(session, portal)
    done = centre.text(PAGE)
    assert "核对没有完成" not in done
    assert "notice-good" in done
    told = break_off()
    assert "核对没有完成" in told
    assert "未发现改动" in told
    assert "notice-good" not in told


# One bit of what is kept; SQLite keeps what is no text, no instant and of another kind as well.
FLIPS = [
    ("any", "at", "'2030-10-15 02:00:00.000000'"),
    ("any", "actor", "'systel'"),
    ("any", "action", "'step.donm'"),
    ("any", "subject", "'roster\x1a5'"),
    ("any", "detail", '\'{"note": "=1)1"}\''),
    ("any", "previous", "digest"),
    ("any", "digest", "previous"),
    ("any", "seq", "-seq"),
    ("sqlite", "at", "'r026-10-15 02:00:00.000000'"),
    ("sqlite", "at", "CAST(X'B2' || substr(at, 2) AS TEXT)"),
    ("sqlite", "detail", '\'["note": "=1+1"}\''),
    ("sqlite", "detail", "replace(hex(zeroblob(60000)), '0', '[')"),
    *(("sqlite", name, f"CAST(X'F3' || substr({name}, 2) AS TEXT)") for name in TEXTS),
    *(("sqlite", name, "X'00FF'") for name in ("at", *TEXTS)),
    *(("sqlite", name, "'text'") for name in ("previous", "digest")),
    *(("sqlite", name, "7") for name in ("previous", "digest")),
]


@pytest.mark.parametrize(
    ("database_url", "column", "value"),
    [
        (kind, column, value)
        for where, column, value in FLIPS  # PostgreSQL keeps nothing but a column's own kind
        for kind in ("sqlite", "postgresql")
        if where in ("any", kind)
    ],
    indirect=["database_url"],
)
def test_a_damaged_event_is_shown_at_its_place(
    centre: Visitor, session: Session, portal: Portal, column: str, value: str
) -> None:
    session.execute(sa.text(f"UPDATE audit_events SET {column} = {value} WHERE seq = 7"))
    session.commit()
    whole = rows(centre, "upto=20")
    place = -7 if column == "seq" else 7
    seqs = [int(row["序号"].lstrip("'")) for row in whole]
    assert seqs == sorted({*range(1, 21), place} - {-place})[::-1]
    assert ["本条已被改动" in row["说明"] for row in whole] == [seq == place for seq in seqs]
    assert centre.text(f"{PAGE}?upto=20").count("本条已被改动") == 1
    for query in (
        "upto=20",
        "since=2026-10-01",
        "actor=系统",
        "action=step.done",
        "subject=roster",
    ):
        for path in (PAGE, f"{PAGE}/export.csv", f"{PAGE}/export.xlsx"):
            assert centre.get(f"{path}?{query}").status_code == 200, (path, query)
    centre.post(f"{PAGE}/verify")
    work(session, portal)
    told = centre.text(PAGE)
    assert "缺少第 7 至 7 条" in told if column == "seq" else "第 7 条审计记录" in told


def test_too_much_is_not_exported(centre: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("school_portal.services.audit_trail.MOST_EXPORTED", 59)
    answer = centre.get(f"{PAGE}/export.csv?action=step.done")
    assert answer.status_code == 409
    assert "缩小时间范围" in answer.get_data(as_text=True)
    assert centre.get(f"{PAGE}/export.pdf").status_code == 404
