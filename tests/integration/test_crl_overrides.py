"""CRLs past their dates, and the administrator's word by which they count."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.demo import authority
from school_portal.domain.workflow import Role
from school_portal.models import AuditEvent, CaSignature, CrlOverride, School
from school_portal.services import crl_overrides
from school_portal.services.access import Actor, NotFound, Refused
from school_portal.services.portal import Portal
from tests.conftest import FakeClock
from tests.factories.authority import DAY, NOW, World, partition, pem
from tests.factories.operation import running
from tests.factories.visitor import Visitor, user
from tests.integration.test_key_sign_in import Holder, code, crls, school, settings, world

__all__ = ["crls", "school", "settings", "world"]

HOUR = timedelta(hours=1)
_USERS, _CAS = {"only_contains_user_certs": True}, {"only_contains_ca_certs": True}


@pytest.fixture
def holder(app: Flask, world: World, school: School) -> Holder:
    return Holder(app, world.leaf(ends=NOW + 10 * DAY))


@pytest.fixture
def admin(session: Session, portal: Portal) -> Actor:
    made = Actor.of(user(session, portal, "admin", role=Role.ADMIN))
    session.commit()
    return made


@pytest.fixture
def office(app: Flask, admin: Actor) -> Visitor:
    visitor = Visitor(app)
    visitor.sign_in("admin")
    return visitor


def test_a_stale_list_counts_while_the_override_holds(
    holder: Holder, session: Session, portal: Portal, clock: FakeClock, admin: Actor
) -> None:
    clock.now = NOW + 2 * DAY
    assert code(holder.sign_in()) == "ca.crl-stale"
    made = crl_overrides.grant(session, portal, admin, 2, "新列表尚未下载").id
    session.commit()
    clock.now += 2 * HOUR - timedelta(seconds=1)
    assert holder.sign_in().status_code == 200
    assert session.scalars(sa.select(CaSignature.crl_override_id)).all() == [made]
    session.commit()
    clock.now += timedelta(seconds=1)
    assert code(holder.sign_in()) == "ca.crl-stale"


def test_a_fresh_list_needs_none(
    holder: Holder, session: Session, portal: Portal, admin: Actor
) -> None:
    crl_overrides.grant(session, portal, admin, 24, "以防万一")
    session.commit()
    assert holder.sign_in().status_code == 200
    assert session.scalars(sa.select(CaSignature.crl_override_id)).all() == [None]


@pytest.mark.parametrize(
    "crl, expected",
    [
        (lambda w, leaf: authority.revoke(w.middle, [leaf], NOW - DAY, NOW - HOUR), "ca.revoked"),
        (lambda w, leaf: authority.revoke(w.middle, [], NOW + HOUR, NOW + DAY), "ca.crl-stale"),
        (lambda w, leaf: authority.revoke(w.root, [], NOW - DAY, NOW - HOUR), "ca.crl-stale"),
    ],
    ids=["revoked in it", "a list to come", "none of its issuer"],
)
def test_what_no_override_lets_pass(
    holder: Holder,
    session: Session,
    portal: Portal,
    admin: Actor,
    world: World,
    crls: Path,
    crl: Callable[..., bytes],
    expected: str,
) -> None:
    crls.write_text(pem("X509 CRL", crl(world, holder.leaf)))
    crl_overrides.grant(session, portal, admin, 1, "试用")
    session.commit()
    assert code(holder.sign_in()) == expected


@pytest.mark.parametrize("hours, reason", [(0, "理由"), (25, "理由"), (-1, "理由"), (1, " ")])
def test_what_is_no_override(
    session: Session, portal: Portal, admin: Actor, hours: int, reason: str
) -> None:
    with pytest.raises(Refused):
        crl_overrides.grant(session, portal, admin, hours, reason)


def test_one_at_a_time_by_administrators_alone(
    session: Session, portal: Portal, admin: Actor
) -> None:
    with pytest.raises(Refused, match="管理员"):
        crl_overrides.grant(session, portal, Actor.operator_at_the_console(), 1, "理由")
    crl_overrides.grant(session, portal, admin, 1, "理由")
    with pytest.raises(Refused, match="已有"):
        crl_overrides.grant(session, portal, admin, 1, "理由")


def test_an_override_is_ended_once(session: Session, portal: Portal, admin: Actor) -> None:
    made = crl_overrides.grant(session, portal, admin, 1, "理由")
    crl_overrides.end(session, portal, admin, made.id)
    assert crl_overrides.in_force(session, portal.clock()) is None
    for gone in (made.id, made.id + 1):
        with pytest.raises(NotFound):
            crl_overrides.end(session, portal, admin, gone)
    session.commit()
    actions = sa.select(AuditEvent.action).where(AuditEvent.action.startswith("crl-override"))
    told = session.scalars(actions.order_by(AuditEvent.seq)).all()
    assert told == ["crl-override.grant", "crl-override.end"]


def test_the_page_tells_and_decides(office: Visitor, session: Session, clock: FakeClock) -> None:
    page = office.text("/settings/ca")
    assert all(name in page for name in ("根", "中间", "2026-10-16（周五）10:00"))
    assert "已过期" not in page
    clock.now = NOW + 2 * DAY
    office.sign_in("admin")
    assert "已过期" in office.text("/settings/ca")
    refused = office.post("/settings/ca/overrides", hours="25", reason="理由")
    assert refused.status_code == 422
    assert "1 至 24" in refused.get_data(as_text=True)
    granted = office.post("/settings/ca/overrides", hours="3", reason="新列表尚未下载")
    assert "过期的吊销列表仍在使用" in granted.get_data(as_text=True)
    made = session.scalars(sa.select(CrlOverride)).one().id
    session.commit()
    ended = office.post(f"/settings/ca/overrides/{made}/end")
    assert "仍在使用" not in ended.get_data(as_text=True)


def test_the_page_counts_an_issuers_partitions(
    office: Visitor, crls: Path, world: World, clock: FakeClock
) -> None:
    lists = [
        authority.revoke(world.middle, [], NOW - DAY, NOW + days * DAY, partition(**of))
        for days, of in ((3, _USERS), (1, _CAS))
    ]
    crls.write_text("".join(pem("X509 CRL", one) for one in lists))
    page = office.text("/settings/ca")
    assert "分为 2 份" in page and "2026-10-16（周五）10:00" in page and "已过期" not in page
    clock.now = NOW + 2 * DAY
    office.sign_in("admin")
    assert "1 份已过期" in office.text("/settings/ca")


def test_a_file_that_went_bad_and_a_strangers_list(
    office: Visitor, crls: Path, world: World
) -> None:
    stranger = World("sm2")
    crls.write_text(pem("X509 CRL", authority.revoke(stranger.root, [], NOW - DAY, NOW + DAY)))
    assert "1 份吊销列表不是由下列机构签发" in office.text("/settings/ca")
    crls.write_text("gone bad")
    assert "文件已损坏" in office.text("/settings/ca")


def test_without_crls_there_is_nothing_to_override(
    app: Flask, session: Session, portal: Portal, admin: Actor
) -> None:
    running(session)
    object.__setattr__(portal.settings, "ca_crls", None)
    with pytest.raises(Refused, match="没有设置"):
        crl_overrides.grant(session, portal, admin, 1, "理由")
