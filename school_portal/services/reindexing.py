"""A new index key, and every keyed hash made anew from what is sealed: it needs no old one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.identifiers import person_key
from school_portal.models import (
    AccountOpening,
    ApplicationMember,
    CaSignature,
    Restriction,
    RosterRow,
    School,
    Student,
    dialect,
)
from school_portal.security import audit
from school_portal.security.ca.certificates import read_certificate, unbase64
from school_portal.security.ca.key_id import text_of
from school_portal.security.cipher import Unreadable
from school_portal.security.vault import Vault
from school_portal.services import receipts
from school_portal.services.access import Actor, Refused
from school_portal.services.portal import Portal

CHUNK_SIZE = 1000  # rows read and written at once, all in one transaction
MOST_TOLD = 20  # ids of rows, of each table

Values = dict[str, Any]
Made = Callable[[Vault, Any, str], Values]


@dataclass(frozen=True, slots=True)
class Hashed:
    """A table with keyed hashes: what they are made of, and the row's new values."""

    model: Any
    name: str
    columns: Sequence[str]
    index: str  # the column without which a row has none
    made: Made


@dataclass(slots=True)
class Reindexed:
    """How many rows of each table have new hashes, and the ids of those that kept the old.

    Without `old_key` the hashes on older receipts can never be made again to be compared.
    """

    old_key: bool
    done: dict[str, int] = field(default_factory=dict)
    left: dict[str, list[int]] = field(default_factory=dict)


def _opened(vault: Vault, table: str, column: str, row_key: bytes, sealed: bytes | None) -> str:
    if sealed is None:
        raise Unreadable("没有密文")
    return vault.unseal(table, column, row_key, sealed)


def _person(vault: Vault, row: Any, oid: str) -> Values:
    """The document's hash; what is bound to it is sealed anew."""
    made: Values = {}
    number = _opened(vault, "students", "document", row.document_index, row.document_sealed)
    key = vault.index("person", person_key(row.document_type, number))
    made["document_index"] = key
    made["document_sealed"] = vault.seal("students", "document", key, number)
    return made


def _student(vault: Vault, row: Any, oid: str) -> Values:
    made = _person(vault, row, oid)
    key = made["document_index"]
    mobile = _opened(vault, "students", "mobile", row.document_index, row.mobile_sealed)
    made["mobile_index"] = vault.index("mobile", mobile)
    made["mobile_sealed"] = vault.seal("students", "mobile", key, mobile)
    return made


def _school(vault: Vault, row: Any, oid: str) -> Values:
    key_id = _opened(vault, "schools", "key_id", row.uscc.encode(), row.key_id_sealed)
    return {"key_id_index": vault.index("key-id", key_id)}


def _opening(vault: Vault, row: Any, oid: str) -> Values:
    key_id = _opened(vault, "account_openings", "key_id", row.uid.encode(), row.key_id_sealed)
    return {"key_id_index": vault.index("key-id", key_id)}


def _signature(vault: Vault, row: Any, oid: str) -> Values:
    text = _opened(vault, "ca_signatures", "certificate", row.uid.encode(), row.certificate_sealed)
    key_id = text_of(read_certificate(unbase64(text)).extensions.get(oid, b""))
    if key_id is None:
        raise Unreadable("证书中没有 keyID")
    return {"key_id_index": vault.index("key-id", key_id)}


_DOCUMENT = ("document_type", "document_index", "document_sealed")
_KEY_ID = ("key_id_index", "key_id_sealed")
_STUDENT = (*_DOCUMENT, "mobile_index", "mobile_sealed")
TABLES = (
    Hashed(RosterRow, "名册行", _STUDENT, "document_index", _student),
    Hashed(Restriction, "限制记录", _DOCUMENT, "document_index", _person),
    Hashed(Student, "学生", _STUDENT, "document_index", _student),
    Hashed(School, "学校", ("uscc", *_KEY_ID), "key_id_index", _school),
    Hashed(AccountOpening, "开户与变更申请", ("uid", *_KEY_ID), "key_id_index", _opening),
    Hashed(
        CaSignature,
        "签名记录",
        ("uid", "key_id_index", "certificate_sealed"),
        "key_id_index",
        _signature,
    ),
)


def reindex(
    session: Session, portal: Portal, actor: Actor, *, leave_unreadable: bool = False
) -> Reindexed:
    """Begins a transaction of its own, beside which nobody writes; the caller commits.

    A row whose sealed text is not there or cannot be opened keeps its hash where that is wanted:
    nobody is found by it. Raises Refused for such rows otherwise, and where two rows turn out to
    be of one person or one keyID.
    """
    dialect.alone(session)
    vault, old_key = Vault.replace(session, portal.ring, portal.clock())
    keep_restricted_documents(session)
    _keep_receipts(session)
    found = Reindexed(old_key)
    try:
        for table in TABLES:
            for rows in _chunks(session, table):
                _write(session, table, _anew(portal, vault, table, rows, found))
        session.execute(
            sa.update(ApplicationMember)
            .where(Student.id == ApplicationMember.student_id)
            .values(document_index=Student.document_index),
            execution_options={"synchronize_session": False},
        )
    except sa.exc.IntegrityError:
        raise Refused(
            "数据库中有同一个人或同一 keyID 登记了两次，索引没有重建，没有改变任何内容。"
            "请从备份恢复索引密钥丢失之前的数据库，再重新执行。"
        ) from None
    if found.left and not leave_unreadable:
        raise Refused(_told(found))
    session.expire_all()
    audit.record(
        session,
        actor.label,
        "keys.reindex",
        "key:index",
        at=portal.clock(),
        rows=sum(found.done.values()),
        left=sum(map(len, found.left.values())),
    )
    return found


def keep_restricted_documents(session: Session) -> None:
    """Beside each restriction of a person goes the document, sealed, where a student has it."""
    cells = ("document_type", "document_sealed")
    same = Student.document_index == Restriction.document_index
    session.execute(
        sa.update(Restriction)
        .where(Restriction.document_sealed.is_(None), sa.exists().where(same))
        .values(
            {
                name: sa.select(getattr(Student, name)).where(same).limit(1).scalar_subquery()
                for name in cells
            }
        ),
        execution_options={"synchronize_session": False},
    )


def _keep_receipts(session: Session) -> None:
    """The hashes on receipts from before they were kept: what they are made of changes now."""
    handed_in = AccountOpening.requested_at.is_not(None)
    for opening in session.scalars(
        sa.select(AccountOpening).where(handed_in, AccountOpening.receipt_digest.is_(None))
    ):
        opening.receipt_digest = receipts.made_of(opening)


def _chunks(session: Session, table: Hashed) -> Iterator[Sequence[Any]]:
    model = table.model
    query = (
        sa.select(model.id, *(getattr(model, name) for name in table.columns))
        .where(getattr(model, table.index).is_not(None))
        .order_by(model.id)
        .limit(CHUNK_SIZE)
    )
    last = 0
    while rows := session.execute(query.where(model.id > last)).all():
        yield rows
        last = rows[-1].id


def _anew(
    portal: Portal, vault: Vault, table: Hashed, rows: Sequence[Any], found: Reindexed
) -> list[Values]:
    """The rows' new values, by id."""
    made = []
    for row in rows:
        try:
            made.append({"of_id": row.id, **table.made(vault, row, portal.settings.key_id_oid)})
        except (Unreadable, ValueError):  # the latter: a certificate that cannot be read
            found.left.setdefault(table.name, []).append(row.id)
    found.done[table.name] = found.done.get(table.name, 0) + len(made)
    return made


def _write(session: Session, table: Hashed, made: list[Values]) -> None:
    if not made:
        return
    target = table.model.__table__
    names = [name for name in made[0] if name != "of_id"]
    session.execute(
        sa.update(target)
        .where(target.c.id == sa.bindparam("of_id"))
        .values({name: sa.bindparam(f"{name}_new") for name in names}),
        [{"of_id": one["of_id"], **{f"{name}_new": one[name] for name in names}} for one in made],
    )


def _told(found: Reindexed) -> str:
    rows = "；".join(
        f"{name} {len(ids)} 行（编号 {'、'.join(map(str, ids[:MOST_TOLD]))}"
        f"{' 等' if len(ids) > MOST_TOLD else ''}）"
        for name, ids in found.left.items()
    )
    return (
        f"下列各行没有可以打开的密文，索引没有重建，没有改变任何内容：{rows}。"
        "请先把加密这些行的密钥放回密钥环。确实无法找回时加上 --leave-unreadable："
        "这些行原样保留，但不再能按证件号码或 keyID 查到，也不再与他行判重。"
    )
