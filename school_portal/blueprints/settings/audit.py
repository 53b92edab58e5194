"""The audit trail: filtered, exported as shown, and the chain walked on request."""

from __future__ import annotations

from datetime import date
from io import BytesIO

from flask import flash, redirect, render_template, request, url_for
from werkzeug.exceptions import NotFound
from werkzeug.wrappers import Response

from school_portal.blueprints.asking import narrowed_by
from school_portal.blueprints.downloads import attachment, workbook
from school_portal.blueprints.http import request_id
from school_portal.blueprints.identity import actor, audience, begin_writing
from school_portal.blueprints.limits import JOBS, PAPERS
from school_portal.blueprints.paging import page_of
from school_portal.blueprints.rendering import moment
from school_portal.blueprints.settings.blueprint import blueprint
from school_portal.domain.texts import trimmed
from school_portal.extensions import db
from school_portal.models import Role
from school_portal.services import audit_trail as service
from school_portal.services import tabular
from school_portal.services.portal import current_portal

READERS = (Role.CENTRE, Role.ADMIN)
SIZE = 50
COLUMNS = (
    ("序号", 10),
    ("时间", 28),
    ("操作人", 36),
    ("操作人代码", 14),
    ("事项", 24),
    ("事项代码", 28),
    ("对象", 24),
    ("说明", 60),
)


def _asked() -> service.Query:
    """What the address asks for."""
    last = service.newest(db.session())
    upto = narrowed_by("upto", int) or last
    texts = {name: trimmed(request.args.get(name, ""))[:100] for name in ("actor", "subject")}
    return service.Query(
        since=narrowed_by("since", date.fromisoformat),
        until=narrowed_by("until", date.fromisoformat),
        action=request.args.get("action", "")[:64],
        upto=upto if 0 < upto <= last else last,
        **texts,
    )


@blueprint.get("/audit")
@audience(*READERS)
def audit_trail() -> str:
    begin_writing()  # who read the trail is on the trail
    session, query = db.session(), _asked()
    page = page_of(service.count(session, query), SIZE)
    shown = render_template(
        "settings/audit.html",
        query=query,
        page=page,
        entries=service.entries(session, query, limit=page.size, offset=page.offset),
        actions=service.actions(session),
        chain=service.chain(session),
    )
    service.note_view(session, current_portal(), actor(), query, page.total)
    session.commit()
    return shown


@blueprint.get("/audit/export.<kind>")
@audience(*READERS)
@PAPERS
def export_audit(kind: str) -> Response:
    """Exactly what is shown, every page of it."""
    if kind not in ("csv", "xlsx"):
        raise NotFound
    begin_writing()
    session, query = db.session(), _asked()
    rows = [_row(entry) for entry in service.exported(session, current_portal(), actor(), query)]
    session.commit()
    name = f"审计记录-{current_portal().today()}.{kind}"
    if kind == "xlsx":
        return workbook(tabular.as_workbook([("审计记录", COLUMNS, rows)]), name)
    content = tabular.as_csv([title for title, _ in COLUMNS], rows)
    return attachment(BytesIO(content), name, "text/csv")


def _row(entry: service.Entry) -> tuple[str, ...]:
    return (
        str(entry.seq),
        moment(entry.at),
        entry.who,
        entry.actor,
        entry.doing,
        entry.action,
        entry.subject,
        entry.detail,
    )


@blueprint.post("/audit/verify")
@audience(*READERS)
@JOBS
def verify_audit() -> Response:
    session = db.session()
    service.verify(session, current_portal(), actor(), request_id())
    session.commit()
    flash("已开始核对全部审计记录，请稍后刷新页面查看结果。", "good")
    return redirect(url_for("settings.audit_trail"))
