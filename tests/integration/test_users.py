"""People as administrators keep them: invited, given roles, ended; and one's own sign-ins."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.domain.workflow import Role
from school_portal.models import AuditEvent, Invitation, PolicyChange, SignIn, User, UserRole
from school_portal.services import invitations, notices
from school_portal.services.notice_texts import Audience
from school_portal.services.portal import Portal
from tests.conftest import NOW, FakeClock
from tests.factories.operation import running
from tests.factories.visitor import PASSWORD, Visitor, user

LINK = re.compile(r'value="http://localhost(/auth/invitation/[\w-]+)"')
NEW = "一个新的密码短语"
LATER = timedelta(minutes=15)

At = Callable[[str], Visitor]


@pytest.fixture
def at(app: Flask, session: Session, portal: Portal) -> At:
    """Somebody at a browser of their own."""
    user(session, portal, "admin", role=Role.ADMIN)
    user(session, portal, "clerk", role=Role.CENTRE)

    def come(username: str) -> Visitor:
        made = Visitor(app)
        made.sign_in(username)
        return made

    return come


def invited(admin: Visitor, **fields: Any) -> str:
    sent: dict[str, Any] = {
        "username": "li",
        "school": "0",
        "roles": ["centre", "bureau"],
        **fields,
    }
    page = admin.post("/settings/users/new", **sent).get_data(as_text=True)
    found = LINK.search(page)
    assert found is not None, page
    return found[1]


def id_of(session: Session, username: str) -> int:
    found = session.scalars(sa.select(User.id).where(User.username == username)).one()
    session.commit()
    return found


def test_an_invitation_is_used_once(at: At, app: Flask, session: Session) -> None:
    admin, li = at("admin"), Visitor(app)
    link = invited(admin)
    assert "链接未使用" in admin.text("/settings/users")
    kept = session.scalars(sa.select(Invitation.token_hash)).one()
    assert link.rpartition("/")[2].encode() not in kept
    session.commit()
    assert li.sign_in("li", "").status_code == 422
    assert "您的用户名是" in li.text(link)
    short = li.post(link, name="李老师", new="short", again="short")
    assert "8 至 256 个字" in short.get_data(as_text=True)
    for nobody in (" ", "\u200b\u2066", "　"):
        nameless = li.post(link, name=nobody, new=NEW, again=NEW)
        assert "请填写姓名" in nameless.get_data(as_text=True)
    assert "已设置密码" in li.post(link, name=" 李\u200b老 师\n", new=NEW, again=NEW).get_data(
        as_text=True
    )
    assert li.get(link).status_code == 404
    assert li.post(link, name="别人", new=PASSWORD, again=PASSWORD).status_code == 404
    assert "李老师" in li.sign_in("li", NEW).get_data(as_text=True)


def test_an_invitations_address_is_told_to_nobody(
    at: At,
    app: Flask,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    link = invited(at("admin"))
    token = link.rpartition("/")[2]
    app.config.update(PROPAGATE_EXCEPTIONS=False)
    li = Visitor(app)
    with structlog.testing.capture_logs() as lines:
        pages = [li.get(link), li.post(link, name="", new="", again="")]
        with monkeypatch.context() as broken:
            broken.setattr(invitations, "find", lambda *_: 1 / 0)
            pages.append(li.get(link))
        pages.append(li.post(link, follow=False, name="李老师", new=NEW, again=NEW))
    assert [page.status_code for page in pages] == [200, 422, 500, 302]
    for page in pages:
        assert page.headers["Referrer-Policy"] == "no-referrer"
        assert page.headers["Cache-Control"] == "no-store"
    assert [line["route"] for line in lines] == ["/auth/invitation/<token>"]
    assert token not in str(lines)
    kept = session.execute(sa.select(AuditEvent.detail, AuditEvent.subject)).all()
    assert token not in str(kept)


def test_an_invitations_form_has_its_token_and_needs_no_referrer(at: At, app: Flask) -> None:
    link, li = invited(at("admin")), Visitor(app)
    fields = {"name": "李老师", "new": NEW, "again": NEW}
    assert li.send("POST", link, data=fields).status_code == 422
    page = li.send("GET", link, base_url="https://localhost").get_data(as_text=True)
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found is not None
    fields["csrf_token"] = found[1]
    assert li.send("POST", link, data=fields, base_url="https://localhost").status_code == 302


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["admin", "clerk", "zhang"]),
        ("q=CLER", ["clerk"]),
        ("q=张老", ["admin", "clerk", "zhang"]),
        ("q=示例中等", ["zhang"]),
        ("q=%25", []),
        ("role=bureau", ["clerk"]),
        ("role=school&q=zh", ["zhang"]),
        ("role=school&q=clerk", []),
    ],
)
def test_accounts_are_searched(
    at: At, session: Session, portal: Portal, query: str, names: list[str]
) -> None:
    admin = at("admin")
    user(session, portal, "zhang", school=running(session).school)
    session.add(UserRole(user_id=id_of(session, "clerk"), role=Role.BUREAU))
    session.commit()
    page = admin.text(f"/settings/users?{query}")
    assert re.findall(r'class="code" href="/settings/users/\d+">(\w+)<', page) == names
    assert ("没有符合条件的账户" in page) == (not names)


def test_a_search_goes_on_over_its_pages(at: At, session: Session) -> None:
    admin = at("admin")
    session.add_all(
        User(username=f"li-{number:02}", name="李老师", password_hash="", role=Role.CENTRE)
        for number in range(30)
    )
    session.commit()
    page = admin.text("/settings/users?q=李老师&role=centre")
    assert "共 30 条" in page
    assert "li-24" in page and "li-25" not in page
    onward = re.search(r'rel="next" href="([^"]+)"', page)
    assert onward is not None
    assert "li-29" in admin.text(onward[1].replace("&amp;", "&"))


@pytest.mark.parametrize("how", ["expired", "revoked", "replaced", "disabled", "forged"])
def test_a_link_that_leads_nowhere(
    at: At, app: Flask, session: Session, clock: FakeClock, how: str
) -> None:
    admin = at("admin")
    link = invited(admin)
    path = f"/settings/users/{id_of(session, 'li')}"
    match how:
        case "expired":
            clock.now += timedelta(days=7)
        case "revoked":
            assert admin.post(f"{path}/revoke-invitation").status_code == 200
        case "replaced":
            assert LINK.search(admin.post(f"{path}/invite").get_data(as_text=True))
        case "disabled":
            assert admin.post(f"{path}/disable").status_code == 200
        case "forged":
            link += "A"
    answer = Visitor(app).get(link)
    assert answer.status_code == 404
    assert "已经失效" in answer.get_data(as_text=True)


def test_a_link_that_was_used_cannot_be_revoked(at: At, app: Flask, session: Session) -> None:
    admin = at("admin")
    link = invited(admin)
    accepted = Visitor(app).post(link, name="李老师", new=NEW, again=NEW)
    assert accepted.status_code == 200
    answer = admin.post(f"/settings/users/{id_of(session, 'li')}/revoke-invitation")
    assert answer.status_code == 409
    assert "已经用过" in answer.get_data(as_text=True)
    actions = session.scalars(sa.select(AuditEvent.action)).all()
    assert "user.accept" in actions
    assert "user.invite-revoke" not in actions


def test_an_operator_is_invited_to_a_school(at: At, app: Flask, session: Session) -> None:
    school = running(session).school
    school_id, name = school.id, school.name
    session.commit()
    link = invited(at("admin"), school=str(school_id), roles=[])
    assert name in Visitor(app).text(link)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"username": "clerk", "roles": ["centre"]}, "已有人使用"),
        ({"username": "?", "roles": ["centre"]}, "用户名须为"),
        ({"username": "li", "roles": []}, "至少选择一个角色"),
        ({"username": "li", "roles": ["system"]}, "角色"),
    ],
)
def test_who_cannot_be_invited(at: At, fields: dict[str, Any], text: str) -> None:
    answer = at("admin").post("/settings/users/new", **{"school": "0", **fields})
    assert answer.status_code == 422
    assert text in answer.get_data(as_text=True)


def test_nobody_but_an_administrator_keeps_accounts(at: At, session: Session) -> None:
    clerk, number = at("clerk"), id_of(session, "admin")
    for path in ("/settings/users", "/settings/users/new", f"/settings/users/{number}"):
        assert clerk.get(path).status_code == 403
    for action in ("roles", "invite", "disable", "end-sign-ins"):
        assert clerk.post(f"/settings/users/{number}/{action}").status_code == 403


def test_an_administrator_ends_what_is_anothers_at_once(at: At, session: Session) -> None:
    admin, clerk = at("admin"), at("clerk")
    path = f"/settings/users/{id_of(session, 'clerk')}"
    assert clerk.get("/settings/profile", follow=False).status_code == 200
    admin.post(f"{path}/end-sign-ins")
    assert clerk.get("/settings/profile", follow=False).status_code == 302
    clerk.sign_in("clerk")
    admin.post(f"{path}/disable")
    assert clerk.get("/settings/profile", follow=False).status_code == 302
    assert clerk.sign_in("clerk").status_code == 422
    admin.post(f"{path}/enable")
    assert clerk.sign_in("clerk").status_code == 200
    assert admin.post(f"{path}/nothing").status_code == 404


def test_an_administrator_does_not_shut_out_themselves(at: At, session: Session) -> None:
    admin = at("admin")
    path = f"/settings/users/{id_of(session, 'admin')}"
    assert admin.post(f"{path}/disable").status_code == 409
    assert admin.post(f"{path}/roles", roles=["centre"]).status_code == 422


def test_a_person_of_two_roles_acts_in_one_of_them(at: At, session: Session) -> None:
    admin, clerk = at("admin"), at("clerk")
    path = f"/settings/users/{id_of(session, 'clerk')}/roles"
    assert "其登录都已结束" in admin.post(path, roles=["centre", "bureau"]).get_data(as_text=True)
    assert clerk.get("/settings/profile", follow=False).status_code == 302
    assert "切换为市人力资源社会保障局" in clerk.sign_in("clerk").get_data(as_text=True)
    change: dict[str, Any] = {"value": "100", "reason": "试行"}
    assert clerk.post("/settings/policies/group_size", **change).status_code == 403
    assert clerk.post("/settings/role", role="admin").status_code == 404
    assert "切换为市职业技能鉴定中心" in clerk.post("/settings/role", role="bureau").get_data(
        as_text=True
    )
    assert clerk.post("/settings/policies/group_size", **change).status_code == 200
    assert clerk.get("/centre/openings").status_code == 403
    assert clerk.post("/settings/role", role="centre").status_code == 200
    assert clerk.get("/centre/openings").status_code == 200


def test_notices_reach_every_role_of_a_person(at: At, session: Session) -> None:
    number = id_of(session, "admin")
    session.add(UserRole(user_id=number, role=Role.CENTRE))
    session.commit()
    told = notices._people(session, None, None, Audience.CENTRE)  # type: ignore[arg-type]
    assert {one.username for one in told} == {"admin", "clerk"}


def test_ones_own_sign_ins_are_listed_and_ended(at: At, session: Session) -> None:
    here, there, third = at("clerk"), at("clerk"), at("clerk")
    page = here.text("/settings/sign-ins")
    assert page.count("本次登录") == 1
    foreign = session.scalars(sa.select(SignIn.id).order_by(SignIn.id)).first()
    session.commit()
    assert at("admin").post(f"/settings/sign-ins/{foreign}/end").status_code == 404
    ends = re.findall(r"/settings/sign-ins/(\d+)/end", page)
    assert len(ends) == 2
    here.post(f"/settings/sign-ins/{ends[-1]}/end")
    assert there.get("/settings/profile", follow=False).status_code == 302
    assert third.get("/settings/profile", follow=False).status_code == 200
    here.post("/settings/sign-ins/end-others")
    assert third.get("/settings/profile", follow=False).status_code == 302
    assert here.get("/settings/profile", follow=False).status_code == 200


@pytest.mark.parametrize(
    ("setting", "value", "steps"), [("idle_minutes", 5, [5]), ("sign_in_hours", 1, [20, 20, 20])]
)
def test_how_long_a_sign_in_lasts_is_a_setting(
    at: At, session: Session, clock: FakeClock, setting: str, value: int, steps: list[int]
) -> None:
    session.add(PolicyChange(name=setting, old=30, new=value, at=NOW, reason="试行"))
    session.commit()
    clerk, statuses = at("clerk"), []
    for minutes in steps:
        clock.now += timedelta(minutes=minutes)
        statuses.append(clerk.get("/settings/profile", follow=False).status_code)
    assert statuses == [200] * (len(steps) - 1) + [302]


def test_a_decisive_act_asks_again_and_loses_nothing(
    at: At, session: Session, portal: Portal, clock: FakeClock
) -> None:
    user(session, portal, "bureau", role=Role.BUREAU)
    bureau, path = at("bureau"), "/settings/policies/group_size"
    change: dict[str, Any] = {"value": "100", "reason": "“试行”<一年>"}
    clock.now += LATER
    asked = bureau.post(path, **change)
    assert asked.status_code == 403
    page = asked.get_data(as_text=True)
    assert 'name="reason" value="“试行”&lt;一年&gt;"' in page
    assert 'name="value" value="100"' in page
    assert session.query(PolicyChange).count() == 0
    session.commit()
    wrong = bureau.post(path, proof="wrong", **change)
    assert wrong.status_code == 422
    assert "“试行”&lt;一年&gt;" in wrong.get_data(as_text=True)
    done = bureau.post(path, proof=PASSWORD, **change)
    assert "立即生效" in done.get_data(as_text=True)
    assert session.scalars(sa.select(PolicyChange.reason)).all() == ["“试行”<一年>"]
    session.commit()
    clock.now += LATER - timedelta(seconds=1)
    again = bureau.post(path, value="50", reason="试行")
    assert "立即生效" in again.get_data(as_text=True)


def test_proofs_are_not_guessed_at_leisure(at: At, session: Session, clock: FakeClock) -> None:
    admin = at("admin")
    clock.now += LATER
    path = f"/settings/users/{id_of(session, 'clerk')}/disable"
    statuses = [admin.post(path, proof="wrong").status_code for _ in range(5)]
    assert statuses == [422] * 5
    assert admin.post(path, proof=PASSWORD).status_code == 429
    assert session.scalars(sa.select(User.active).distinct()).all() == [True]
