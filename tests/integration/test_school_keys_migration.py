"""The migration that lists the key pairs, with signatures of several in them."""

from __future__ import annotations

import sqlalchemy as sa
from flask import Flask
from flask_migrate import downgrade, upgrade

from school_portal.extensions import db
from tests.factories.operation import running
from tests.integration.test_signed_submissions_migration import bare

__all__ = ["bare"]

USER = """
    INSERT INTO users (id, username, name, password_hash, role, school_id, active)
    VALUES (1, 'key:1', '平台操作人员', '', 'school', :school, true)
"""
SIGNATURE = """
    INSERT INTO ca_signatures (uid, school_id, user_id, at, purpose, message, signature,
        certificate_sealed, certificate_sha256, public_key_sha256, key_id_index)
    VALUES (:uid, :school, 1, :at, 'sign-in', '', :key, :key, :certificate, :key, :key_id)
"""
KEYS = """
    SELECT public_key_sha256, certificate_sha256, first_seen_at, last_used_at, state
    FROM school_keys ORDER BY public_key_sha256
"""
NOW_ID, OLD_ID = b"n" * 32, b"o" * 32


def test_the_key_pairs_that_signed_are_listed(bare: Flask) -> None:
    upgrade(revision="0007")
    school = running(db.session()).school
    school.key_id_index = NOW_ID
    db.session.flush()
    given = {"school": school.id}
    db.session.execute(sa.text(USER), given)
    signatures = ((b"a", OLD_ID), (b"b", NOW_ID), (b"c", NOW_ID), (b"b", NOW_ID))
    for day, (key, key_id) in enumerate(signatures, 1):
        signed = {
            "uid": str(day),
            "at": f"2026-10-0{day} 00:00:00+00:00",
            "certificate": bytes([day] * 32),
            "key": key * 32,
            "key_id": key_id,
        }
        db.session.execute(sa.text(SIGNATURE), {**given, **signed})
    db.session.commit()
    db.session.remove()

    upgrade()
    found = db.session.execute(sa.text(KEYS)).all()
    assert [(bytes(one[0])[:1], bytes(one[1])[0], one.state) for one in found] == [
        (b"a", 1, "not_in_use"),
        (b"b", 4, "accepted"),
        (b"c", 3, "accepted"),
    ]
    assert "2026-10-02" in str(found[1].first_seen_at)
    assert "2026-10-04" in str(found[1].last_used_at)
    db.session.remove()

    downgrade(revision="0007")
    assert db.session.scalar(sa.text("SELECT count(*) FROM ca_signatures")) == 4
