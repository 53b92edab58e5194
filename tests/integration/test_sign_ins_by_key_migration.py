"""The migration that notes how a sign-in was opened, with sign-ins of both kinds."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Flask
from flask_migrate import downgrade, upgrade

from school_portal.extensions import db
from tests.integration.test_signed_submissions_migration import bare

__all__ = ["bare"]

USER = """
    INSERT INTO users (id, username, name, password_hash, role, active)
    VALUES (:id, :username, '', '', 'school', true)
"""
SIGN_IN = """
    INSERT INTO sign_ins (token_hash, user_id, role, created_at, last_seen_at)
    VALUES (:token, :id, 'school', '2026-10-01 00:00:00+00:00', '2026-10-01 00:00:00+00:00')
"""


def test_sign_ins_of_a_key_are_known(bare: Flask) -> None:
    upgrade(revision="0011")
    for number, username in enumerate(("zhang", "key:1"), 1):
        given = {"id": number, "username": username, "token": bytes([number] * 32)}
        db.session.execute(sa.text(USER), given)
        db.session.execute(sa.text(SIGN_IN), given)
    db.session.commit()
    upgrade()
    found = db.session.execute(sa.text("SELECT user_id FROM sign_ins WHERE by_key"))
    assert found.scalars().all() == [2]
    db.session.remove()
    downgrade(revision="0011")
    assert db.session.scalar(sa.text("SELECT count(*) FROM sign_ins")) == 2
