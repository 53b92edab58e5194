"""Changing one's password, and having to."""

from __future__ import annotations

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.domain.workflow import Role
from school_portal.models import User
from school_portal.services.portal import Portal
from tests.factories.visitor import PASSWORD, Visitor, user

NEW = "一个新的密码短语"


@pytest.fixture
def clerk(session: Session, portal: Portal) -> User:
    return user(session, portal, "clerk-of-it", role=Role.CENTRE)


def signed_in(app: Flask) -> Visitor:
    made = Visitor(app)
    made.sign_in("clerk-of-it")
    return made


def test_a_new_password_ends_all_other_sign_ins(app: Flask, clerk: User) -> None:
    here, there = signed_in(app), signed_in(app)
    done = here.post("/settings/password", old=PASSWORD, new=NEW, again=NEW)
    assert "密码已更改" in done.get_data(as_text=True)
    assert here.get("/settings/profile", follow=False).status_code == 200
    assert there.get("/settings/profile", follow=False).status_code == 302
    assert there.sign_in("clerk-of-it").status_code == 422
    assert there.sign_in("clerk-of-it", NEW).status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "again", "text"),
    [
        ("wrong", NEW, NEW, "原密码不对"),
        (PASSWORD, NEW, NEW + "x", "两次填写的新密码不一样"),
        (PASSWORD, "short", "short", "8 至 256 个字"),
        (PASSWORD, "x" * 257, "x" * 257, "8 至 256 个字"),
        (PASSWORD, "Clerk-Of-It", "Clerk-Of-It", "密码太容易猜到"),
        (PASSWORD, PASSWORD, PASSWORD, "不能与原密码相同"),
    ],
)
def test_a_password_that_cannot_be(
    app: Flask, clerk: User, old: str, new: str, again: str, text: str
) -> None:
    visitor = signed_in(app)
    answer = visitor.post("/settings/password", old=old, new=new, again=again)
    assert answer.status_code == 422
    assert text in answer.get_data(as_text=True)
    assert Visitor(app).sign_in("clerk-of-it").status_code == 200


def test_the_old_password_is_not_guessed_at_leisure(app: Flask, clerk: User) -> None:
    visitor = signed_in(app)
    for _ in range(5):
        visitor.post("/settings/password", old="wrong", new=NEW, again=NEW)
    answer = visitor.post("/settings/password", old=PASSWORD, new=NEW, again=NEW)
    assert "已暂停验证" in answer.get_data(as_text=True)


def test_an_initial_password_is_changed_before_anything_else(
    app: Flask, session: Session, clerk: User
) -> None:
    clerk.must_change_password = True
    session.commit()
    visitor = signed_in(app)
    for path in ("/", "/settings/profile", "/office/evaluations"):
        assert visitor.get(path, follow=False).location == "/settings/password"
    assert visitor.post("/settings/notices/read", follow=False).location == "/settings/password"
    assert "别人代设的" in visitor.text("/settings/password")
    visitor.post("/settings/password", old=PASSWORD, new=NEW, again=NEW)
    assert visitor.get("/settings/profile", follow=False).status_code == 200
