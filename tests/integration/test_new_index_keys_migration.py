"""The migration that keeps what hashes are made of, with restricted persons in the database."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import downgrade, upgrade

from school_portal.app import build
from school_portal.config import Settings
from school_portal.extensions import db
from tests.integration.test_signed_submissions_migration import STUDENT

BEFORE, AFTER = "0007", "0011"
RESTRICTED = "INSERT INTO restrictions (id, document_index, reason) VALUES (:id, :person, '')"
KEPT = "SELECT id, document_index, document_type, document_sealed FROM restrictions ORDER BY id"


@pytest.fixture
def bare(settings: Settings) -> Iterator[Flask]:
    """The application on an empty database."""
    app = build(settings)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def test_a_restricted_student_keeps_the_document(bare: Flask) -> None:
    upgrade(revision=BEFORE)
    person, stranger = bytes(32), bytes([1]) * 32
    db.session.execute(
        sa.text(
            "INSERT INTO schools (id, uscc, name, district,"
            " legal_representative, training_levels, students_version)"
            " VALUES (1, 'X', '', '', '', 'secondary', 0)"
        )
    )
    db.session.execute(
        sa.text(
            "INSERT INTO specialties (id, school_id, code, name,"
            " training_level) VALUES (1, 1, '', '', 'secondary')"
        )
    )
    db.session.execute(sa.text(STUDENT), {"school": 1, "specialty": 1, "bytes": person})
    for key, of in ((1, person), (2, stranger), (3, None)):
        db.session.execute(sa.text(RESTRICTED), {"id": key, "person": of})
    db.session.commit()
    db.session.remove()

    upgrade(revision=AFTER)
    found = [tuple(row) for row in db.session.execute(sa.text(KEPT))]
    assert found == [
        (1, person, "resident_id", person),
        (2, stranger, None, None),
        (3, None, None, None),
    ]
    db.session.remove()

    downgrade(revision=BEFORE)
    kept = sa.text("SELECT document_index FROM restrictions ORDER BY id")
    assert db.session.scalars(kept).all() == [person, stranger, None]
