"""A challenge is good once, for two minutes, for what it was given for and to whom."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from school_portal.services import challenges
from school_portal.services.challenges import LIFETIME, Unknown, Use, Visit
from tests.conftest import NOW

HERE = Visit("browser", "https://portal.example.cn")


def given(session: Session, use: Use = Use.CA_KEY) -> str:
    return challenges.issue(session, NOW, HERE, use)[0]


@pytest.mark.parametrize("use", Use)
def test_it_is_good_once(session: Session, use: Use) -> None:
    text = given(session, use)
    challenges.spend(session, NOW + LIFETIME - timedelta(seconds=1), HERE, use, text)
    with pytest.raises(Unknown):
        challenges.spend(session, NOW, HERE, use, text)


@pytest.mark.parametrize(
    ("visit", "use", "later"),
    [
        (replace(HERE, browser="another"), Use.CA_KEY, timedelta()),
        (replace(HERE, origin="https://elsewhere.example"), Use.CA_KEY, timedelta()),
        (HERE, Use.PASSKEY_SIGN_IN, timedelta()),
        (HERE, Use.CA_KEY, LIFETIME),
    ],
)
def test_it_is_good_for_nothing_else_and_used_all_the_same(
    session: Session, visit: Visit, use: Use, later: timedelta
) -> None:
    text = given(session)
    with pytest.raises(Unknown):
        challenges.spend(session, NOW + later, visit, use, text)
    with pytest.raises(Unknown):
        challenges.spend(session, NOW, HERE, Use.CA_KEY, text)
