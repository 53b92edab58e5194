"""Evidence is shown in the page where a browser runs nothing of it, and downloaded otherwise."""

from __future__ import annotations

import io
import re

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy.orm import Session

from school_portal.blueprints.downloads import FILE_POLICY
from school_portal.domain.workflow import Role
from school_portal.models import SpecialtyEvaluation, TrainingProgramme
from school_portal.services.portal import Portal
from tests.factories.evaluation import expert, judge, officer, under_review
from tests.factories.evaluations import PDF, WRITTEN, Desk
from tests.factories.operation import running
from tests.factories.visitor import Visitor, user

SCRIPT = b"%PDF-1.7\n<html><script>document.title = 'run'</script></html>\n%%EOF\n"


def picture(kind: str) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (30, 20), "white").save(content, kind)
    return content.getvalue()


@pytest.fixture
def desk(session: Session, portal: Portal) -> Desk:
    made = running(session)
    user(session, portal, "zhang", school=made.school)
    officer(session, portal, Role.TEACHING_OFFICE)
    found = Desk.of(session, portal, made.school)
    session.commit()
    return found


def handed_in(desk: Desk, *files: tuple[bytes, str]) -> tuple[int, list[int]]:
    """An application with those documents: its id and theirs."""
    made = desk.draft()
    desk.save(made, **WRITTEN)
    desk.add(made)
    kept = [desk.attach(made, content, name) for content, name in files]
    desk.submit(made)
    key = made.id
    desk.session.commit()
    return key, kept


def signed(app: Flask, username: str) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in(username)
    return visitor


@pytest.mark.parametrize(
    ("content", "media_type", "shown"),
    [
        (PDF, "application/pdf", True),
        (SCRIPT, "application/pdf", True),
        (picture("JPEG"), "image/jpeg", True),
        (picture("PNG"), "image/png", True),
        (PDF, "application/msword", False),
        (PDF, "text/html", False),  # as no upload is: whatever stands in the database
        (PDF, "image/svg+xml", False),
    ],
)
def test_what_runs_nothing_is_shown_and_all_else_is_downloaded(
    app: Flask, session: Session, desk: Desk, content: bytes, media_type: str, shown: bool
) -> None:
    key, (programme,) = handed_in(desk, (content, "方案.pdf"))
    session.get_one(TrainingProgramme, programme).media_type = media_type
    session.commit()
    for who, audience in (("teaching_office", "office"), ("zhang", "school")):
        path = f"/{audience}/evaluations/{key}/programmes/{programme}"
        answer = signed(app, who).get(path)
        assert answer.mimetype == media_type
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        kind = "inline" if shown else "attachment"
        assert answer.headers["Content-Disposition"].startswith(f"{kind};")
        framed = answer.headers["X-Frame-Options"] == "SAMEORIGIN"
        assert framed == shown
        policy = answer.headers["Content-Security-Policy"]
        assert (policy == FILE_POLICY) == shown
        assert ("frame-ancestors 'self'" in policy) == shown
        assert "script-src" not in policy or not shown


def test_the_case_page_shows_them(app: Flask, session: Session, desk: Desk) -> None:
    files = (PDF, "方案.pdf"), (picture("JPEG"), "照片.jpg")
    key, kept = handed_in(desk, *files)
    for who, audience in (("teaching_office", "office"), ("zhang", "school")):
        answer = signed(app, who).get(f"/{audience}/evaluations/{key}")
        page = answer.get_data(as_text=True)
        places = [f"/{audience}/evaluations/{key}/programmes/{one}" for one in kept]
        assert f'<iframe src="{places[0]}" title="方案.pdf" loading="lazy">' in page
        assert f'<img src="{places[1]}" alt="照片.jpg" loading="lazy">' in page
        assert all(f'href="{place}" download=' in page for place in places)
        assert "frame-src 'self'" in answer.headers["Content-Security-Policy"]


def test_a_page_without_files_frames_nothing(app: Flask, session: Session, desk: Desk) -> None:
    visitor = signed(app, "teaching_office")
    assert "frame-src" not in visitor.get("/office/evaluations").headers["Content-Security-Policy"]
    key, _ = handed_in(desk, (picture("PNG"), "图.png"))
    answer = visitor.get(f"/office/evaluations/{key}")
    assert "图.png" in answer.get_data(as_text=True)
    assert "frame-src" not in answer.headers["Content-Security-Policy"]


def test_a_word_file_is_offered_for_download(app: Flask, session: Session, desk: Desk) -> None:
    key, (programme,) = handed_in(desk, (PDF, "方案.pdf"))
    page = signed(app, "zhang").text(f"/school/evaluations/{key}")
    assert "Word 文件" not in page
    session.get_one(TrainingProgramme, programme).media_type = "application/msword"
    session.commit()
    page = signed(app, "zhang").text(f"/school/evaluations/{key}")
    assert "Word 文件，下载后打开" in page
    assert "<iframe" not in page


def test_the_form_to_be_sealed_is_shown_where_it_is_sealed(
    app: Flask, session: Session, portal: Portal, desk: Desk
) -> None:
    key, _ = handed_in(desk, (PDF, "方案.pdf"))
    case = session.get_one(SpecialtyEvaluation, key)
    pool = [expert(session, portal, f"e{number}") for number in range(3)]
    for member in list(under_review(session, portal, case, pool)):
        judge(session, portal, member, True)
    session.commit()
    visitor = signed(app, "teaching_office")
    page = visitor.text(f"/office/evaluations/{key}/seal")
    [form] = re.findall(r'<iframe src="([^"]+/opinion.pdf)"', page)
    answer = visitor.get(form)
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert answer.headers["Content-Security-Policy"] == FILE_POLICY
