"""The migration that gives applications a name, with applications and students in them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import downgrade, upgrade

from school_portal.app import build
from school_portal.config import Settings
from school_portal.extensions import db
from tests.factories.operation import running


@pytest.fixture
def bare(settings: Settings) -> Iterator[Flask]:
    """The application on an empty database."""
    app = build(settings)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


APPLICATION = """
    INSERT INTO group_applications (id, number, school_id, route, state, created_at, version,
        occupation_code, occupation, direction, level)
    VALUES (:id, :number, :school, 'skill_level', 'draft', '2026-10-15 00:00:00+00:00', 0,
        '4-03-02-10', '调饮师', '', 4)
"""
STUDENT = """
    INSERT INTO students (id, school_id, specialty_id, student_no, name, document_type,
        document_index, document_sealed, ethnicity, mobile_index, mobile_sealed, training_level,
        class_name, entered_on, graduates_on, enrolment_status, study_mode, created_at, updated_at)
    VALUES (1, :school, :specialty, '1', '学生', 'resident_id', :bytes, :bytes, '', :bytes, :bytes,
        'secondary', '', '', '2027-06-30', 'enrolled', 'full_time',
        '2026-10-15 00:00:00+00:00', '2026-10-15 00:00:00+00:00')
"""
MEMBER = """
    INSERT INTO application_members (application_id, student_id, document_index, state, is_open,
        occupation_code, occupation, direction, level)
    VALUES (1, 1, :bytes, 'included', true, '4-03-02-10', '调饮师', '', 4)
"""


def test_applications_keep_their_students_and_get_a_name(bare: Flask) -> None:
    upgrade(revision="0003")
    school = running(db.session()).school
    specialty = db.session.scalar(sa.text("SELECT min(id) FROM specialties"))
    given = {"school": school.id, "specialty": specialty, "bytes": bytes(32)}
    for key in (1, 2):
        db.session.execute(sa.text(APPLICATION), {**given, "id": key, "number": f"TB{key}"})
    db.session.execute(sa.text(STUDENT), given)
    db.session.execute(sa.text(MEMBER), given)
    db.session.commit()
    db.session.remove()

    upgrade()
    uids = db.session.scalars(sa.text("SELECT uid FROM group_applications")).all()
    assert len(set(uids)) == 2 and {len(uid) for uid in uids} == {32}
    db.session.remove()

    downgrade(revision="0003")
    assert db.session.scalar(sa.text("SELECT count(*) FROM application_members")) == 1
    assert db.session.scalar(sa.text("SELECT count(*) FROM group_applications")) == 2
