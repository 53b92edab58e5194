"""Each migration with data, up and down, on both databases."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from flask import Flask
from flask_migrate import check, downgrade, upgrade

from school_portal.app import build
from school_portal.config import Settings
from school_portal.extensions import db
from tests.factories.operation import running


@pytest.fixture
def bare(settings: Settings) -> Iterator[Flask]:
    """The application on an empty database."""
    app = build(settings)
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()


def test_the_models_are_what_the_migrations_make(bare: Flask) -> None:
    upgrade()
    check()


def test_a_running_operation_goes_down_and_the_schema_comes_up_again(bare: Flask) -> None:
    upgrade()
    running(db.session())
    db.session.commit()
    db.session.remove()

    downgrade(revision="base")
    assert set(sa.inspect(db.engine).get_table_names()) <= {"alembic_version"}

    upgrade()
    running(db.session())
    db.session.commit()
    check()
