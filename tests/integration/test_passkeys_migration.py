"""The migration that brings passkeys, with people and challenges in the tables."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import downgrade, upgrade

from school_portal.app import build
from school_portal.config import Settings
from school_portal.extensions import db


@pytest.fixture
def bare(settings: Settings) -> Iterator[Flask]:
    """The application on an empty database."""
    app = build(settings)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


PERSON = """
    INSERT INTO users (id, username, name, password_hash, role, active, must_change_password,
        totp_step)
    VALUES (:id, :name, '张老师', 'x', 'centre', true, false, :step)
"""
CHALLENGE = """
    INSERT INTO ca_challenges (challenge_hash, bound_to, expires_at)
    VALUES (:bytes, :bytes, '2026-10-15 00:00:00+00:00')
"""
CODE = "INSERT INTO recovery_codes (user_id, code_hash) VALUES (:id, :bytes)"
PASSKEY = """
    INSERT INTO passkeys (user_id, credential_id, public_key, sign_count, transports, name,
        created_at)
    VALUES (2, :bytes, :bytes, 4294967295, '', '手机', '2026-10-15 00:00:00+00:00')
"""


def test_codes_stay_with_whom_they_still_serve(bare: Flask) -> None:
    upgrade(revision="0007")
    given = {"bytes": bytes(32)}
    for key, step in ((1, 7), (2, None)):
        person = {"id": key, "name": f"user-{key}", "step": step}
        db.session.execute(sa.text(PERSON), person)
    db.session.execute(sa.text(CODE), {**given, "id": 1})
    db.session.execute(sa.text(CHALLENGE), given)
    db.session.commit()
    db.session.remove()

    upgrade(revision="0009")
    assert db.session.scalar(sa.text("SELECT count(*) FROM challenges")) == 0
    db.session.execute(sa.text(PASSKEY), given)
    db.session.execute(sa.text(CODE), {**given, "id": 2})
    db.session.commit()
    db.session.remove()

    downgrade(revision="0007")
    assert db.session.scalars(sa.text("SELECT user_id FROM recovery_codes")).all() == [1]
    db.session.execute(sa.text(CHALLENGE), given)
    assert db.session.scalar(sa.text("SELECT count(*) FROM users")) == 2
