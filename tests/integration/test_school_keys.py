"""The key pairs of a school: the first, renewed ones, those that wait for the centre."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from threading import Barrier, Thread

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.demo import authority
from school_portal.domain.account import AccountState
from school_portal.domain.school_key import KeyState
from school_portal.domain.workflow import Role
from school_portal.models import AuditEvent, Notice, School, SchoolAccount, SchoolKey, User
from school_portal.services import policies
from school_portal.services.access import Actor
from school_portal.services.opening import load
from school_portal.services.portal import Portal
from school_portal.services.transitions import history
from tests.factories import opening
from tests.factories.accounts import approved
from tests.factories.authority import DAY, KEY_ID, NOW, OID, World
from tests.factories.visitor import Visitor, user
from tests.integration.test_key_sign_in import Holder, code, crls, holder, school, settings, world

__all__ = ["crls", "holder", "school", "settings", "world"]


@pytest.fixture
def centre(app: Flask, session: Session, portal: Portal, school: School) -> Visitor:
    """The centre's person, with one of the school's and of the bureau."""
    user(session, portal, "zhang", school=school)
    user(session, portal, "bao", role=Role.BUREAU)
    user(session, portal, "wang", role=Role.CENTRE)
    visitor = Visitor(app)
    visitor.sign_in("wang")
    return visitor


def wait(session: Session, portal: Portal, value: str = "是") -> None:
    bureau = Actor.of(session.scalars(sa.select(User).where(User.username == "bao")).one())
    policies.change(session, portal, bureau, "renewed_key_waits", value, "试行")
    session.commit()


def states(session: Session) -> list[KeyState]:
    found = list(session.scalars(sa.select(SchoolKey.state).order_by(SchoolKey.id)))
    session.rollback()  # a test that holds SQLite keeps the portal waiting
    return found


@pytest.fixture
def renewed(
    centre: Visitor, holder: Holder, app: Flask, world: World, session: Session, portal: Portal
) -> Holder:
    """Somebody with another key pair of the same keyID, who was told to wait."""
    assert holder.sign_in().status_code == 200
    wait(session, portal)
    other = Holder(app, world.leaf())
    assert code(other.sign_in()) == "ca.key-not-accepted"
    return other


def told(session: Session, title: str) -> list[str]:
    """Whom a notice of that title was given."""
    found = sa.select(User.username).join(Notice).where(Notice.title.contains(title))
    people = sorted(session.scalars(found))
    session.rollback()
    return people


def page(session: Session) -> str:
    key = newest(session)
    address = f"/centre/schools/{key.school_id}/keys/{key.id}"
    session.rollback()
    return address


def newest(session: Session) -> SchoolKey:
    return session.scalars(sa.select(SchoolKey).order_by(SchoolKey.id.desc()).limit(1)).one()


def test_a_renewed_key_waits_and_is_told_once(
    renewed: Holder, holder: Holder, centre: Visitor, session: Session
) -> None:
    answer = renewed.sign_in()
    assert answer.json is not None
    assert "核准前请用原来的密钥" in answer.json["detail"]
    assert states(session) == [KeyState.ACCEPTED, KeyState.WAITING]
    assert told(session, "待核准") == ["wang", "zhang"]
    waits = sa.select(sa.func.count()).where(AuditEvent.action == "key.wait")
    assert session.scalar(waits) == 1
    session.rollback()
    assert holder.sign_in().status_code == 200
    assert "更新的密钥" in centre.text("/")


def test_the_centre_accepts_it(renewed: Holder, centre: Visitor, session: Session) -> None:
    answer = centre.post(f"{page(session)}/accept")
    assert "已核准" in answer.get_data(as_text=True)
    assert renewed.sign_in().status_code == 200
    assert told(session, "已核准") == ["zhang"]
    assert "更新的密钥" not in centre.text("/")
    listed = renewed.visitor.text("/school/account")
    shown = sha256(renewed.leaf.der).hexdigest()[:4].upper()
    assert shown in listed and "核准</span>" in listed


def test_a_refused_one_stays_so_and_is_told_why(
    renewed: Holder, centre: Visitor, session: Session, portal: Portal
) -> None:
    address = f"{page(session)}/refuse"
    assert centre.post(address, reason=" ").status_code == 422
    assert centre.post(address, reason="学校没有更新证书").status_code == 200
    wait(session, portal, "否")
    answer = renewed.sign_in()
    assert code(answer) == "ca.key-not-accepted"
    assert answer.json is not None
    assert "学校没有更新证书" in answer.json["detail"]
    assert states(session) == [KeyState.ACCEPTED, KeyState.REFUSED]
    assert centre.post(address, reason="再次").status_code == 422
    centre.post(f"{page(session)}/accept")
    assert renewed.sign_in().status_code == 200


def test_one_that_waits_works_once_none_has_to(
    renewed: Holder, session: Session, portal: Portal
) -> None:
    wait(session, portal, "否")
    assert renewed.sign_in().status_code == 200
    assert states(session) == [KeyState.ACCEPTED, KeyState.ACCEPTED]
    key = newest(session)
    assert [one.action for one in history(session, key.subject)] == ["renew", "wait"]
    assert key.not_after == NOW + DAY and key.last_used_at == NOW
    assert told(session, "启用了更新的证书") == ["wang", "zhang"]


@pytest.mark.usefixtures("centre")
def test_the_first_key_of_an_account_does_not_wait(
    holder: Holder, session: Session, portal: Portal, school: School
) -> None:
    wait(session, portal)
    school.opened_on = None
    session.add(SchoolAccount(school_id=school.id, state=AccountState.APPROVED, version=0))
    session.commit()
    body = holder.body(holder.challenge(), purpose="open-account")
    assert holder.post(body).status_code == 200
    assert states(session) == [KeyState.ACCEPTED]


OTHER_ID = "1@SF310104200002020022"


def test_a_change_stops_the_old_keys_and_takes_its_first_one(
    renewed: Holder, holder: Holder, world: World, session: Session, portal: Portal, school: School
) -> None:
    paper = replace(portal, trust=None)  # annex 2 without a signature
    approved(session, paper, school, key_id=OTHER_ID, lines=())
    assert states(session) == [KeyState.NOT_IN_USE, KeyState.NOT_IN_USE]
    assert code(holder.sign_in()) == "ca.key-id-unknown"
    new = authority.for_a_person(OTHER_ID, OID)
    old, holder.leaf = holder.leaf, world.leaf(extensions=new)
    assert holder.sign_in().status_code == 200
    renewed.leaf = world.leaf(extensions=new)
    assert code(renewed.sign_in()) == "ca.key-not-accepted"

    session.rollback()
    approved(session, paper, school, key_id=KEY_ID, lines=())
    renewed.leaf = world.leaf()
    assert renewed.sign_in().status_code == 200
    holder.leaf = old  # the keyID is the account's again; this key pair is not the first to come
    assert code(holder.sign_in()) == "ca.key-not-accepted"


def test_another_key_id_taken_over_stops_the_old_keys(
    holder: Holder, session: Session, portal: Portal
) -> None:
    assert holder.sign_in().status_code == 200
    data = opening.running()
    [(*before, _, opened), *others] = data["学校"]
    for key_id, state in ((KEY_ID, KeyState.ACCEPTED), (OTHER_ID, KeyState.NOT_IN_USE)):
        data["学校"] = [(*before, key_id, opened), *others]
        workbook = opening.workbook(data)
        assert load(session, portal, Actor.operator_at_the_console(), workbook).is_done
        session.commit()
        assert states(session) == [state]


@pytest.mark.parametrize("known", [0, 1])
def test_two_first_sign_ins_at_once_make_one_row(
    holder: Holder, app: Flask, session: Session, world: World, known: int
) -> None:
    assert [holder.sign_in().status_code for _ in range(known)] == [200] * known
    leaf = world.leaf()
    holders = [Holder(app, leaf) for _ in range(2)]
    bodies = [(one, one.body(one.challenge())) for one in holders]
    session.rollback()
    start, answers = Barrier(2), []

    def run(one: Holder, body: object) -> None:
        start.wait()
        answers.append(one.post(body).status_code)

    threads = [Thread(target=run, args=pair) for pair in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [200, 200]
    assert states(session) == [KeyState.ACCEPTED] * (known + 1)
