"""Somebody at a browser: pages asked for and forms sent, with the token that the page gave."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from batch.run import execute
from school_portal.domain.workflow import Role
from school_portal.models import Job, JobState, School, User
from school_portal.services import accounts
from school_portal.services.access import Actor
from school_portal.services.portal import Portal

PASSWORD = "correct horse battery"
HTML = {"Accept": "text/html"}
_TOKEN = re.compile(r'name="csrf_token"[^>]*value="([^"]+)"')


def user(
    session: Session,
    portal: Portal,
    username: str,
    *,
    school: School | None = None,
    role: Role = Role.SCHOOL,
) -> User:
    """A person who can sign in with PASSWORD."""
    made = accounts.create_user(
        session,
        Actor.operator_at_the_console(),
        portal.clock(),
        username=username,
        name="张老师",
        password=PASSWORD,
        role=role,
        school=school,
    )
    session.commit()
    return made


class Visitor:
    """A browser of its own; redirects are followed unless said otherwise."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.client = app.test_client()

    def send(self, method: str, path: str, **how: Any) -> TestResponse:
        """One request, in a context of its own: the test's context is not the request's."""
        with self.app.app_context():
            return self.client.open(path, method=method, **how)

    def get(
        self, path: str, *, follow: bool = True, headers: dict[str, str] | None = None
    ) -> TestResponse:
        answer = self.send("GET", path, headers={**HTML, **(headers or {})})
        return self.get(answer.location) if follow and answer.status_code == 302 else answer

    def text(self, path: str) -> str:
        answer = self.get(path)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_data(as_text=True)

    def token(self) -> str:
        page = self.get("/auth/sign-in").get_data(as_text=True)
        found = _TOKEN.search(page)
        assert found is not None
        return found[1]

    def post(self, path: str, *, follow: bool = True, **data: Any) -> TestResponse:
        answer = self.send("POST", path, data={"csrf_token": self.token(), **data}, headers=HTML)
        return self.get(answer.location) if follow and answer.status_code == 302 else answer

    def sign_in(self, username: str, password: str = PASSWORD) -> TestResponse:
        return self.post("/auth/sign-in", username=username, password=password)


def work(session: Session, portal: Portal) -> None:
    """Do every waiting job, as a worker would."""
    for job in session.query(Job).where(Job.state == JobState.QUEUED).all():
        execute(portal, job.id, "test")
    session.commit()
