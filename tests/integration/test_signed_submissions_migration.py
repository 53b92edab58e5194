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


USER = """
    INSERT INTO users (id, username, name, password_hash, role, active)
    VALUES (1, 'zhang', '张老师', '', 'school', true)
"""
SIGNATURE = """
    INSERT INTO ca_signatures (id, uid, school_id, user_id, at, purpose, message, signature,
        certificate_sealed, certificate_sha256, public_key_sha256, key_id_index)
    SELECT id, id, :school, 1, '2026-10-15 00:00:00+00:00', 'submit', '', :bytes,
        :bytes, :bytes, :bytes, :bytes
    FROM (SELECT 7 AS id UNION SELECT 8) AS two
"""
SUBMISSION = """
    INSERT INTO group_submissions (application_id, arrived_at, digest, content_sealed,
        signature_id, issuers)
    VALUES (2, '2026-10-15 00:00:00+00:00', :id, :bytes, :id, '["MA=="]')
"""


def rows(query: str) -> list[tuple[object, ...]]:
    """What the query finds, in a transaction of its own."""
    found = [
        tuple(map(str, row)) if len(row) > 1 else tuple(row)
        for row in db.session.execute(sa.text(query))
    ]
    db.session.remove()
    return found


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

    upgrade(revision="0006")
    uids = db.session.scalars(sa.text("SELECT uid FROM group_applications")).all()
    assert len(set(uids)) == 2 and {len(uid) for uid in uids} == {32}
    uid = db.session.scalar(sa.text("SELECT uid FROM group_applications WHERE id = 2"))
    db.session.execute(sa.text(USER), given)
    db.session.execute(sa.text(SIGNATURE), given)
    for place in (7, 8):
        db.session.execute(sa.text(SUBMISSION), {**given, "id": place})
    db.session.commit()
    columns = "arrived_at, digest, content_sealed, signature_id, issuers"
    before = rows(f"SELECT {columns} FROM group_submissions ORDER BY id")

    upgrade()
    kept = rows(f"SELECT {columns} FROM signed_submissions ORDER BY id")
    assert kept == before and len(before) == 2
    assert rows("SELECT DISTINCT paper_uid FROM signed_submissions") == [(uid,)]

    downgrade(revision="0007")
    assert rows(f"SELECT {columns} FROM group_submissions ORDER BY id") == before
    assert rows("SELECT DISTINCT application_id FROM group_submissions") == [(2,)]

    downgrade(revision="0003")
    assert db.session.scalar(sa.text("SELECT count(*) FROM application_members")) == 1
    assert db.session.scalar(sa.text("SELECT count(*) FROM group_applications")) == 2
