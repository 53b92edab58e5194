"""The least that any importer does, in one process and no more code than it needs.

Bare calamine read, minimal validation, HMAC and AES-GCM, bulk insert into a staging table, merge.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from python_calamine import CalamineWorkbook
from sqlalchemy.orm import Session

from benchmarks.material import HEADERS
from school_portal.models import dialect

_WEIGHTS = [pow(2, 17 - place, 11) for place in range(17)]
_CHECKS = "10X98765432"
COLUMNS = ("person", "document", "mobile", *(f"c{place}" for place in range(len(HEADERS) - 2)))


def _tables(metadata: sa.MetaData) -> tuple[sa.Table, sa.Table]:
    def table(name: str) -> sa.Table:
        return sa.Table(
            name,
            metadata,
            sa.Column("id", sa.Integer, primary_key=True),
            sa.Column("person", sa.LargeBinary, unique=name == "floor_students"),
            sa.Column("document", sa.LargeBinary),
            sa.Column("mobile", sa.LargeBinary),
            # As unique as the portal keeps them: the person and the student number.
            sa.Column(COLUMNS[3], sa.String, unique=name == "floor_students"),
            *(sa.Column(column, sa.String) for column in COLUMNS[4:]),
        )

    return table("floor_staging"), table("floor_students")


def _fits(document: str) -> bool:
    total = sum(int(digit) * weight for digit, weight in zip(document, _WEIGHTS, strict=False))
    return len(document) == 18 and _CHECKS[total % 11] == document[17]


def _sealed(rows: Iterator[list[str]]) -> Iterator[tuple[dialect.Value, ...]]:
    mac = hmac.new(os.urandom(32), digestmod=hashlib.sha256)
    box = AESGCM(os.urandom(32))
    for row in rows:
        document, mobile = row[3], row[7]
        if not (_fits(document) and len(mobile) == 11 and row[0] and row[1]):
            continue
        person = mac.copy()
        person.update(document.encode())
        key = person.digest()
        first, second = os.urandom(12), os.urandom(12)
        yield (
            key,
            first + box.encrypt(first, document.encode(), key),
            second + box.encrypt(second, mobile.encode(), key),
            *row[:3],
            *row[4:7],
            *row[8:],
        )


def run(session: Session, path: Path) -> float:
    """Seconds that the floor takes on the file."""
    metadata = sa.MetaData()
    staging, students = _tables(metadata)
    metadata.create_all(session.connection())
    session.commit()
    began = time.perf_counter()
    rows: Iterator[Any] = iter(CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python())
    next(rows)
    sealed = _sealed(rows)
    while chunk := list(islice(sealed, 1000)):
        dialect.bulk_insert(session, staging, COLUMNS, chunk)
    session.execute(
        sa.insert(students).from_select(
            list(COLUMNS), sa.select(*(staging.c[column] for column in COLUMNS))
        )
    )
    session.execute(sa.delete(staging))
    session.commit()
    took = time.perf_counter() - began
    metadata.drop_all(session.connection())
    session.commit()
    return took
