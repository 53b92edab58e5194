"""The web, by audience: views parse a request, call a service, commit, and answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def install(app: Flask) -> None:
    """Put headers, error pages and every page on the application."""
    # Imported here: importing one blueprint must not import all.
    from school_portal.blueprints import errors, http, identity, incoming, rendering  # noqa: PLC0415
    from school_portal.blueprints.auth.routes import blueprint as auth  # noqa: PLC0415
    from school_portal.blueprints.centre.routes import blueprint as centre  # noqa: PLC0415
    from school_portal.blueprints.entrance.routes import blueprint as entrance  # noqa: PLC0415
    from school_portal.blueprints.expert.routes import blueprint as expert  # noqa: PLC0415
    from school_portal.blueprints.office.routes import blueprint as office  # noqa: PLC0415
    from school_portal.blueprints.ops import routes as ops  # noqa: PLC0415
    from school_portal.blueprints.register.routes import blueprint as public  # noqa: PLC0415
    from school_portal.blueprints.school.routes import blueprint as school  # noqa: PLC0415
    from school_portal.blueprints.settings.routes import blueprint as settings  # noqa: PLC0415

    for part in (http, incoming, errors, identity, rendering, ops):
        part.register(app)
    for blueprint in (
        entrance, auth, school, office, centre, expert, settings, public, ops.blueprint
    ):  # fmt: skip
        app.register_blueprint(blueprint)
