"""What `school-portal doctor` says of the trust files and of the address from outside."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.demo import authority
from school_portal.domain.workflow import Role
from school_portal.models import CrlOverride
from school_portal.services import doctor
from school_portal.services.portal import Portal
from tests.conftest import FakeClock
from tests.factories.authority import DAY, NOW, World, pem
from tests.factories.visitor import user
from tests.integration.test_key_sign_in import crls, settings, world

__all__ = ["crls", "settings", "world"]


@pytest.fixture(autouse=True)
def _without_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_redis", lambda *_: "")


def told(session: Session, portal: Portal, name: str) -> tuple[str, str]:
    """`ok`, `warning` or `fail`, and the line."""
    [found] = [one for one in doctor.examine(session, portal) if one.name == name]
    return ("warning" if found.warning else "ok") if found.well else "fail", found.message


def test_the_lists_of_the_trust_files(
    app: Flask, session: Session, portal: Portal, clock: FakeClock, world: World, crls: Path
) -> None:
    level, line = told(session, portal, "CA 证书")
    assert level == "ok"
    assert "根证书 1 张" in line and "2026-10-16 10:00" in line

    clock.now = NOW + 2 * DAY
    level, line = told(session, portal, "CA 证书")
    assert level == "fail" and "2 份已过期" in line
    admin = user(session, portal, "admin", role=Role.ADMIN)
    until = clock.now + timedelta(hours=1)
    session.add(
        CrlOverride(granted_at=clock.now, until=until, reason="示例", granted_by_id=admin.id)
    )
    assert told(session, portal, "CA 证书")[0] == "warning"

    clock.now = NOW
    crls.write_text(pem("X509 CRL", authority.revoke(world.root, [], NOW - DAY, NOW + DAY)))
    level, line = told(session, portal, "CA 证书")
    assert level == "warning" and "1 个机构没有吊销列表" in line
    crls.write_text("gone bad")
    assert told(session, portal, "CA 证书")[0] == "fail"


def test_without_trust_files(session: Session, portal: Portal) -> None:
    assert told(session, replace(portal, trust=None), "CA 证书")[0] == "ok"


def test_production_wants_its_origin(session: Session, portal: Portal) -> None:
    expected = "ok" if portal.settings.is_sqlite else "warning"
    assert told(session, portal, "对外地址")[0] == expected
    named = replace(portal, settings=replace(portal.settings, origin="https://portal.example"))
    assert told(session, named, "对外地址") == ("ok", "https://portal.example")
