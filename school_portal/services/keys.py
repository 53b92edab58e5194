"""Rotation of the encryption keys: a new key in front, then everything sealed anew under it."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, Session

from school_portal import jobs
from school_portal.models import (
    AccountOpening,
    CaSignature,
    EvaluationSubmission,
    Job,
    PersonalAct,
    Restriction,
    RosterRow,
    School,
    SignedSubmission,
    SpecialtyEvaluation,
    Student,
    User,
    WrappedKey,
)
from school_portal.security import audit
from school_portal.security.cipher import KEY_ID_SIZE, KeyRing, Unreadable
from school_portal.security.vault import place_of
from school_portal.services.access import Actor, Refused
from school_portal.services.portal import Portal

CHUNK_SIZE = 1000  # cells sealed anew in one transaction


@dataclass(frozen=True, slots=True)
class Step:
    """How many cells and files are sealed anew, of how many."""

    done: int
    total: int


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed cells, and what binds each to its row."""

    table: str  # as it stands in the associated data: staged rows are sealed as students
    column: str
    cells: InstrumentedAttribute[Any]
    key: InstrumentedAttribute[Any]
    bound_to: InstrumentedAttribute[Any]

    def place(self, bound_to: bytes | str) -> bytes:
        row_key = bound_to.encode() if isinstance(bound_to, str) else bound_to
        return place_of(self.table, self.column, row_key)

    @property
    def key_id(self) -> sa.ColumnElement[bytes]:
        return sa.func.substr(self.cells, 1, KEY_ID_SIZE, type_=sa.LargeBinary)


# Staged rows before students: what is merged meanwhile is met again among the students.
COLUMNS = (
    SealedColumn("wrapped_keys", "sealed", WrappedKey.sealed, WrappedKey.name, WrappedKey.name),
    SealedColumn(
        "ca_signatures",
        "certificate",
        CaSignature.certificate_sealed,
        CaSignature.id,
        CaSignature.uid,
    ),
    SealedColumn("schools", "key_id", School.key_id_sealed, School.id, School.uscc),
    SealedColumn("users", "email", User.email_sealed, User.id, User.username),
    SealedColumn("users", "totp", User.totp_sealed, User.id, User.username),
    SealedColumn(
        "personal_acts", "before", PersonalAct.before_sealed, PersonalAct.id, PersonalAct.uid
    ),
    *(
        SealedColumn("students", column, cells, model.id, model.document_index)
        for model in (RosterRow, Student)
        for column, cells in (("document", model.document_sealed), ("mobile", model.mobile_sealed))
    ),
    SealedColumn(
        "students",
        "document",
        Restriction.document_sealed,
        Restriction.id,
        Restriction.document_index,
    ),
    *(
        SealedColumn(
            "specialty_evaluations", column, cells, SpecialtyEvaluation.id, SpecialtyEvaluation.uid
        )
        for column, cells in (
            ("leader_phone", SpecialtyEvaluation.leader_phone_sealed),
            ("contact_phone", SpecialtyEvaluation.contact_phone_sealed),
        )
    ),
    SealedColumn(
        "evaluation_submissions",
        "content",
        EvaluationSubmission.content_sealed,
        EvaluationSubmission.id,
        EvaluationSubmission.digest,
    ),
    SealedColumn(
        "group_submissions",
        "content",
        SignedSubmission.content_sealed,
        SignedSubmission.id,
        SignedSubmission.digest,
    ),
    *(
        SealedColumn("account_openings", column, cells, AccountOpening.id, AccountOpening.uid)
        for column, cells in (
            ("leader_mobile", AccountOpening.leader_mobile_sealed),
            ("contact_mobile", AccountOpening.contact_mobile_sealed),
            ("operator_document", AccountOpening.operator_document_sealed),
            ("key_id", AccountOpening.key_id_sealed),
        )
    ),
)


def rotate(session: Session, portal: Portal, actor: Actor) -> Job:
    """Puts a new key in front and queues the job that seals everything anew.

    A ring that the environment gives is the operator's to change: then only the job is queued.
    Raises access.Refused where that was not done.
    """
    if portal.settings.key_file:
        portal.settings.key_file.prepend(secrets.token_bytes(32))
    elif not any(_outdated(session, portal)):
        raise Refused(
            "所有数据都已用最前面的密钥加密。请先生成新密钥，放在设置"
            " SCHOOL_PORTAL_ENCRYPTION_KEYS 的最前面并保留旧密钥，再运行本命令。"
        )
    now, key_id = portal.clock(), portal.ring.newest.hex()
    audit.record(session, actor.label, "keys.rotate", f"key:{key_id}", at=now)
    return jobs.enqueue(
        session,
        "keys-rotate",
        subject_id=None,
        school_id=None,
        options={"key_id": key_id},
        actor_id=actor.user_id,
        now=now,
    )


def rotate_session(session: Session, portal: Portal, actor: Actor) -> None:
    """Puts a new session key in front of the present one, and forgets those before.

    What the environment gives is the operator's to change. Raises Refused.
    """
    if portal.settings.session_file is None:
        raise Refused(
            "会话密钥由设置 SCHOOL_PORTAL_SECRET_KEY 给出。请先把新密钥加在旧密钥之后，以逗号分隔，"
            "逐个重新启动所有进程，再把新密钥移到最前面，重新启动一次。"
        )
    audit.record(session, actor.label, "keys.rotate-session", "key:session", at=portal.clock())
    session.flush()
    portal.settings.session_file.prepend(secrets.token_bytes(32), keeping=1)


def status(
    session: Session, portal: Portal, files_of: Iterable[str] | None = None
) -> dict[str, Any]:
    """How many cells and files are under each key: `{"keys": [{"id", "newest", "held", …}]}`.

    Of all files in the store, or of those so named.
    """
    cells: Counter[bytes] = Counter()
    for column in COLUMNS:
        under = column.key_id.label("under")
        counted = sa.select(under, sa.func.count()).where(column.cells.is_not(None))
        for key_id, count in session.execute(counted.group_by("under")):
            cells[key_id] += count
    files = Counter(_file_keys(portal, portal.storage.names() if files_of is None else files_of))
    held = portal.ring.key_ids
    others = sorted((set(cells) | set(files)) - set(held))
    return {
        "keys": [
            {
                "id": key_id.hex(),
                "newest": key_id == held[0],
                "held": key_id in held,
                "cells": cells[key_id],
                "files": files[key_id],
            }
            for key_id in [*held, *others]
        ]
    }


def reseal(session: Session, portal: Portal, key_id: str) -> Iterator[Step]:
    """Seals everything anew under the newest key, a chunk a step; the caller commits after each.

    What is not yet done stays readable; begun again, it goes on where it stopped. Passes over
    everything until nothing is left, for others write meanwhile. Raises Unreadable where the
    ring of this process lacks the key with that id (hex), or a cell cannot be opened.
    """
    if bytes.fromhex(key_id) not in portal.ring.key_ids:
        raise Unreadable(f"本进程的密钥环中没有编号为 {key_id} 的密钥，请用新的设置重新启动")
    total, done, before = sum(_outdated(session, portal)), 0, -1
    while done > before:
        before = done
        for count in _pass(session, portal):
            done += count
            yield Step(done, max(done, total))


def _pass(session: Session, portal: Portal) -> Iterator[int]:
    for column in COLUMNS:
        yield from _reseal_cells(session, portal.ring, column)
    for key in list(portal.storage.names()):
        with suppress(FileNotFoundError):  # deleted meanwhile
            if portal.storage.key_id(key) != portal.ring.newest:
                portal.storage.reseal(key)
                yield 1


def _reseal_cells(session: Session, ring: KeyRing, column: SealedColumn) -> Iterator[int]:
    chunk = (
        sa.select(column.key, column.bound_to.label("bound_to"), column.cells.label("sealed"))
        .where(column.cells.is_not(None))
        .order_by(column.key)
        .limit(CHUNK_SIZE)
        .with_for_update()
    )
    table: Any = column.cells.class_.__table__
    write = (
        sa.update(table)
        .where(table.c[column.key.key] == sa.bindparam("of"))  # a table has a column `row`
        .values({column.cells.key: sa.bindparam("fresh")})
    )
    last = None
    while True:
        after = chunk if last is None else chunk.where(column.key > last)
        rows = session.execute(after.where(column.key_id != ring.newest)).all()
        if not rows:
            return
        places = [column.place(row.bound_to) for row in rows]
        fresh = ring.seal_many(
            (ring.unseal(row.sealed, place), place) for row, place in zip(rows, places, strict=True)
        )
        session.execute(
            write, [{"of": row[0], "fresh": cell} for row, cell in zip(rows, fresh, strict=True)]
        )
        last = rows[-1][0]
        yield len(rows)


def _outdated(session: Session, portal: Portal) -> Iterator[int]:
    """How much is not under the newest key, place by place; nothing where nothing is."""
    for column in COLUMNS:
        stale = sa.and_(column.cells.is_not(None), column.key_id != portal.ring.newest)
        if count := session.scalar(sa.select(sa.func.count()).where(stale)):
            yield count
    for under in _file_keys(portal, portal.storage.names()):
        if under != portal.ring.newest:
            yield 1


def _file_keys(portal: Portal, names: Iterable[str]) -> Iterator[bytes]:
    """Under which key each file is; one that was deleted meanwhile is under none."""
    for name in names:
        with suppress(FileNotFoundError):
            yield portal.storage.key_id(name)
