"""One measurement a process: each prints a JSON object and ends, so that peak memory is its own."""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from benchmarks import floor
from school_portal.config import read
from school_portal.core import build_core
from school_portal.extensions import db
from school_portal.models import School
from school_portal.services import applications, facts, rosters, saving
from school_portal.services.access import Actor
from school_portal.services.portal import Portal

ON = date(2026, 10, 15)
CONSOLE = Actor.operator_at_the_console()
KIB_PER_MIB = 1024


def peak_memory() -> float:
    """MiB: this process's peak and its largest child's, together."""
    usage = [
        resource.getrusage(who).ru_maxrss
        for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    ]
    scale = KIB_PER_MIB * (KIB_PER_MIB if sys.platform == "darwin" else 1)
    return sum(usage) / scale


def processor_time() -> float:
    """Seconds that this process and its ended children computed: what a busy machine cannot bend.

    A database server's are not among them.
    """
    usage = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(used.ru_utime + used.ru_stime for used in usage)


def measure_floor(session: Session, portal: Portal, path: Path, school: School) -> dict[str, Any]:
    """Seconds of the floor."""
    return {"seconds": floor.run(session, path)}


def measure_job(session: Session, portal: Portal, path: Path, school: School) -> dict[str, Any]:
    """Seconds of each part of the whole job: check and stage, confirm and merge, plan, generate."""
    marks = [time.perf_counter()]
    with path.open("rb") as stream:
        roster = rosters.upload(session, portal, CONSOLE, school.id, stream, path.name)
    session.commit()
    marks.append(time.perf_counter())
    first = None
    for _ in rosters.read(session, portal, roster.id):
        session.commit()
        first = first or time.perf_counter()
    session.commit()
    marks.append(time.perf_counter())
    rosters.confirm(session, portal, CONSOLE, roster, accept_valid=True)
    saving.save(session, portal, roster.id)
    session.commit()
    marks.append(time.perf_counter())
    upload, check, merge = (b - a for a, b in pairwise(marks))
    return {
        "seconds": check + merge,
        "upload": upload,
        "first_rows": (first or marks[2]) - marks[1],
        "check": check,
        "merge": merge,
        "saved": roster.created,
        "rejected": roster.rejected,
    }


def measure_plan(session: Session, portal: Portal, path: Path, school: School) -> dict[str, Any]:
    """Seconds to load a school's facts, to plan (facts included), and to generate."""
    began = time.perf_counter()
    facts.load(session, school)
    loaded = time.perf_counter()
    applications.plan(session, portal, school, ON)
    planned = time.perf_counter()
    job = applications.request_generation(session, portal, CONSOLE, school, ON)
    document = applications.generate(session, portal, job)
    session.commit()
    return {
        "load": loaded - began,
        "plan": planned - loaded,
        "generate": time.perf_counter() - planned,
        "applications": len(document["applications"]),
    }


MEASURES = {"floor": measure_floor, "job": measure_job, "plan": measure_plan}


def main(measure: str, path: str, uscc: str) -> None:
    """Run one measurement on the portal of the environment, and print it."""
    app = build_core(read())
    with app.app_context():
        session = db.session()
        portal: Portal = app.extensions["portal"]
        _ = portal.vault
        school = session.scalars(sa.select(School).where(School.uscc == uscc)).one()
        session.commit()
        before = processor_time()
        result = MEASURES[measure](session, portal, Path(path), school)
        used = processor_time() - before
        print(json.dumps({**result, "processor": used, "peak_mib": peak_memory()}))


if __name__ == "__main__":
    main(*sys.argv[1:])
