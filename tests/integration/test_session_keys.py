"""Another session key while the portal runs: who is signed in stays so, forms that are open fit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.app import build
from school_portal.config import SecretFile, Settings
from school_portal.domain.workflow import Role
from school_portal.models import AuditEvent
from school_portal.services import keys
from school_portal.services.access import Actor, Refused
from school_portal.services.portal import Portal
from tests.factories.visitor import HTML, Visitor, user

CONSOLE = Actor.operator_at_the_console()


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """As without SECRET_KEY in the environment."""
    file = SecretFile(tmp_path / "secret_key")
    file.path.write_text("first\n")
    return replace(settings, session_file=file)


@pytest.fixture
def visitor(app: Flask, session: Session, portal: Portal) -> Visitor:
    user(session, portal, "clerk", role=Role.CENTRE)
    made = Visitor(app)
    made.sign_in("clerk")
    return made


def rotate(session: Session, portal: Portal) -> None:
    keys.rotate_session(session, portal, CONSOLE)
    session.commit()


def is_signed_in(visitor: Visitor) -> bool:
    return visitor.get("/settings/password", follow=False).status_code == 200


def test_cookies_and_forms_outlive_one_rotation(
    app: Flask, session: Session, portal: Portal, visitor: Visitor
) -> None:
    token = visitor.token()
    rotate(session, portal)
    form = {"csrf_token": token}
    assert visitor.send("POST", "/auth/sign-out", data=form, headers=HTML).status_code == 302
    visitor.sign_in("clerk")
    rotate(session, portal)
    assert is_signed_in(visitor)
    stranger = Visitor(app)
    assert not is_signed_in(stranger)


def test_what_is_older_than_the_one_before_is_forgotten(
    session: Session, portal: Portal, visitor: Visitor
) -> None:
    assert is_signed_in(visitor)
    rotate(session, portal)
    rotate(session, portal)
    assert not is_signed_in(visitor)
    assert len(portal.settings.session_keys) == 2
    assert "first" not in portal.settings.session_keys
    actions = session.scalars(sa.select(AuditEvent.action).order_by(AuditEvent.seq)).all()
    assert actions.count("keys.rotate-session") == 2


def test_keys_of_the_environment_are_the_operators_to_change(
    session: Session, portal: Portal, visitor: Visitor, settings: Settings
) -> None:
    given = replace(settings, session_file=None, given_session_keys=("new", "first"))
    with pytest.raises(Refused, match="SCHOOL_PORTAL_SECRET_KEY"):
        keys.rotate_session(session, replace(portal, settings=given), CONSOLE)
    restarted = Visitor(build(given, portal.clock))
    restarted.client._cookies = visitor.client._cookies
    assert is_signed_in(restarted)
