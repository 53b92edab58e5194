"""Rotation: everything under the new key, readable all the while, whoever stops in between."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from io import BytesIO

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from batch.run import execute
from school_portal.config import KeyFile, Settings
from school_portal.extensions import db
from school_portal.models import (
    ApplicationMember,
    AuditEvent,
    EvaluationSubmission,
    Job,
    JobState,
    Roster,
    RosterRow,
    School,
    SpecialtyEvaluation,
    Student,
    WrappedKey,
)
from school_portal.security.cipher import KEY_ID_SIZE, KeyRing, Unreadable, key_id
from school_portal.security.vault import Vault
from school_portal.services import (
    doctor,
    evaluations,
    keys,
    reindexing,
    rosters,
    saving,
    submissions,
)
from school_portal.services.access import Actor, Refused
from school_portal.services.portal import Portal
from school_portal.storage import Storage
from tests.factories.evaluations import PDF, WRITTEN, Desk
from tests.factories.operation import running, student, workbook

CONSOLE = Actor.operator_at_the_console()
FRESH = bytes(range(32))
STUDENTS = 5
SEALED = (
    WrappedKey.sealed,
    School.key_id_sealed,
    RosterRow.document_sealed,
    RosterRow.mobile_sealed,
    Student.document_sealed,
    Student.mobile_sealed,
    SpecialtyEvaluation.leader_phone_sealed,
    SpecialtyEvaluation.contact_phone_sealed,
    EvaluationSubmission.content_sealed,
)


@pytest.fixture
def school(session: Session, portal: Portal, monkeypatch: pytest.MonkeyPatch) -> School:
    """A school with a keyID, saved students whose roster is still there, and an evaluation."""
    monkeypatch.setattr(keys, "CHUNK_SIZE", 2)
    found = running(session).school
    found.key_id_sealed = portal.vault.seal("schools", "key_id", found.uscc.encode(), "keyID")
    rows = [student(number) for number in range(1, STUDENTS + 1)]
    roster = rosters.upload(session, portal, CONSOLE, found.id, workbook(rows), "名册.xlsx")
    session.commit()
    for _ in rosters.read(session, portal, roster.id):
        session.commit()
    rosters.confirm(session, portal, CONSOLE, roster, accept_valid=False)
    saving.save(session, portal, roster.id)
    desk = Desk.of(session, portal, found)
    desk.submit(desk.complete())
    session.commit()
    return found


def with_keys(session: Session, portal: Portal, *given: bytes) -> Portal:
    """The portal as a process with these keys in its environment sees it."""
    ring = KeyRing(given)
    storage = Storage(portal.settings.storage_url, ring)
    return replace(portal, ring=ring, storage=storage, open_vault=lambda: Vault.open(session, ring))


def test_no_sealed_column_is_forgotten() -> None:
    """Neither by rotation nor, where it has keyed hashes, by making these anew."""
    tables = db.metadata.tables.values()
    sealed = {column for table in tables for column in table.c if column.name.endswith("sealed")}
    assert {one.cells.property.columns[0] for one in keys.COLUMNS} == sealed
    hashed = {
        (table, column.name)
        for table in tables
        for column in table.c
        if column.name.endswith("_index") and isinstance(column.type, sa.LargeBinary)
    }
    made = {
        (one.model.__table__, name)
        for one in reindexing.TABLES
        for name in one.columns
        if name.endswith("_index")
    }
    assert hashed - made == {(ApplicationMember.__table__, "document_index")}  # of its student


def key_ids(session: Session, portal: Portal) -> set[bytes]:
    cells = [cell for column in SEALED for cell in session.scalars(sa.select(column)) if cell]
    files = [portal.storage.key_id(name) for name in portal.storage.names()]
    assert len(cells) >= 2 + 2 * STUDENTS
    assert files
    return {cell[:KEY_ID_SIZE] for cell in cells} | set(files)


def readable(session: Session, portal: Portal) -> None:
    """Everything sealed opens."""
    for one in session.scalars(sa.select(Student)):
        row_key = one.document_index
        opened = portal.vault.unseal("students", "document", row_key, one.document_sealed)
        assert opened.startswith("310104")
        assert portal.vault.unseal("students", "mobile", row_key, one.mobile_sealed)[0] == "1"
    for found in session.scalars(sa.select(School).where(School.key_id_sealed.is_not(None))):
        assert found.key_id_sealed is not None
        sealed = found.key_id_sealed
        assert portal.vault.unseal("schools", "key_id", found.uscc.encode(), sealed) == "keyID"
    for evaluation in session.scalars(sa.select(SpecialtyEvaluation)):
        assert evaluations.fields(portal.vault, evaluation) == WRITTEN
        content = submissions.content_of(portal.vault, evaluation.submissions[0])
        assert content["fields"] == WRITTEN
    for name in portal.storage.names():
        with portal.storage.open(name) as file:
            assert file.read(2) in (b"PK", PDF[:2])


def test_everything_ends_under_the_new_key(
    session: Session, portal: Portal, school: School
) -> None:
    (old,) = portal.settings.encryption_keys
    rotated = with_keys(session, portal, FRESH, old)
    assert key_ids(session, portal) == {key_id(old)}
    steps = []
    for step in keys.reseal(session, rotated, key_id(FRESH).hex()):
        session.commit()
        session.expire_all()
        readable(session, rotated)
        steps.append(step)
    assert key_ids(session, portal) == {key_id(FRESH)}
    assert [step.done for step in steps] == sorted(step.done for step in steps)
    assert steps[-1].done == steps[-1].total
    readable(session, with_keys(session, portal, FRESH))


def test_it_goes_on_where_it_was_stopped(session: Session, portal: Portal, school: School) -> None:
    rotated = with_keys(session, portal, FRESH, *portal.settings.encryption_keys)
    for _ in range(3):
        next(keys.reseal(session, rotated, key_id(FRESH).hex()))
        session.commit()
    next(keys.reseal(session, rotated, key_id(FRESH).hex()))
    session.rollback()
    session.expire_all()
    readable(session, rotated)
    assert len(key_ids(session, portal)) == 2
    for _ in keys.reseal(session, rotated, key_id(FRESH).hex()):
        session.commit()
    assert key_ids(session, portal) == {key_id(FRESH)}


def test_what_is_written_meanwhile_is_met_again(
    session: Session, portal: Portal, school: School
) -> None:
    rotated = with_keys(session, portal, FRESH, *portal.settings.encryption_keys)
    steps, vault = keys.reseal(session, rotated, key_id(FRESH).hex()), portal.vault
    for number, _ in enumerate(steps):
        if number == 3:
            school.key_id_sealed = vault.seal("schools", "key_id", school.uscc.encode(), "keyID")
            portal.storage.put(BytesIO(b"PK late"), 100)
        session.commit()
    assert key_ids(session, portal) == {key_id(FRESH)}
    session.expire_all()
    readable(session, rotated)


def test_a_second_time_there_is_nothing_to_do(
    session: Session, portal: Portal, school: School
) -> None:
    (held,) = portal.settings.encryption_keys
    assert list(keys.reseal(session, portal, key_id(held).hex())) == []


def test_a_process_without_the_new_key_changes_nothing(
    session: Session, portal: Portal, school: School
) -> None:
    with pytest.raises(Unreadable, match=key_id(FRESH).hex()):
        next(keys.reseal(session, portal, key_id(FRESH).hex()))


def test_status_counts_by_key(session: Session, portal: Portal, school: School) -> None:
    (old,) = portal.settings.encryption_keys
    cells = 2 + 3 + 2 * STUDENTS + len(session.scalars(sa.select(RosterRow)).all()) * 2
    for seen_by in (with_keys(session, portal, FRESH, old), with_keys(session, portal, FRESH)):
        assert keys.status(session, seen_by)["keys"] == [
            {"id": key_id(FRESH).hex(), "newest": True, "held": True, "cells": 0, "files": 0},
            {
                "id": key_id(old).hex(),
                "newest": False,
                "held": key_id(old) in seen_by.ring.key_ids,
                "cells": cells,
                "files": 2,
            },
        ]


@pytest.mark.parametrize(
    ("place", "told"), [("cells", "数据 1 项，文件 0 个"), ("files", "数据 0 项，文件 1 个")]
)
def test_doctor_names_the_key_that_the_ring_lacks(
    session: Session, portal: Portal, school: School, place: str, told: str
) -> None:
    def found() -> doctor.Finding:
        return next(one for one in doctor.examine(session, portal) if one.name == "密钥")

    assert found().well
    if place == "cells":
        school.key_id_sealed = key_id(FRESH) + (school.key_id_sealed or b"")[KEY_ID_SIZE:]
        session.commit()
    else:
        foreign = Storage(portal.settings.storage_url, KeyRing([FRESH])).put(BytesIO(b"x"), 1)
        assert found().well  # another portal's
        session.scalars(sa.select(Roster)).one().storage_key = foreign.key
        session.commit()
    assert not found().well
    assert f"{key_id(FRESH).hex()}（{told}）" in found().message


def in_home(portal: Portal, settings: Settings) -> Portal:
    """The portal with its keys in the home folder."""
    file = KeyFile(settings.home / "encryption_keys")
    file.path.write_text(b64encode(settings.encryption_keys[0]).decode())
    ring = KeyRing(file.read(), file.changes)
    kept = replace(settings, key_file=file)
    storage = Storage(settings.storage_url, ring)
    return replace(portal, settings=kept, ring=ring, storage=storage)


def test_rotating_puts_a_key_in_front_and_queues_the_job(
    session: Session, portal: Portal, school: School
) -> None:
    kept = in_home(portal, portal.settings)
    elsewhere = in_home(portal, portal.settings)
    (old,) = portal.settings.encryption_keys
    job = keys.rotate(session, kept, CONSOLE)
    session.commit()
    assert kept.settings.key_file is not None
    fresh, second = kept.settings.key_file.read()
    assert second == old != fresh
    assert session.get_one(Job, job.id).options == {"key_id": key_id(fresh).hex()}
    event = session.scalars(sa.select(AuditEvent).order_by(AuditEvent.seq.desc())).first()
    assert event is not None
    assert (event.action, event.subject) == ("keys.rotate", f"key:{key_id(fresh).hex()}")
    assert elsewhere.ring.newest == key_id(fresh)
    for _ in keys.reseal(session, elsewhere, job.options["key_id"]):
        session.commit()
    assert key_ids(session, portal) == {key_id(fresh)}


def test_the_job_answers_how_much_is_under_which_key(
    session: Session, portal: Portal, school: School
) -> None:
    kept = in_home(portal, portal.settings)
    job = keys.rotate(session, kept, CONSOLE)
    session.commit()
    execute(kept, job.id, "worker")
    session.expire_all()
    assert (job.state, job.done) == (JobState.DONE, job.total)
    assert job.result is not None
    newest, old = job.result["keys"]
    assert newest["id"] == job.options["key_id"]
    assert (old["cells"], old["files"]) == (0, 0)


def test_the_environments_ring_is_the_operators_to_change(
    session: Session, portal: Portal, school: School
) -> None:
    with pytest.raises(Refused, match="SCHOOL_PORTAL_ENCRYPTION_KEYS"):
        keys.rotate(session, portal, CONSOLE)
    rotated = with_keys(session, portal, FRESH, *portal.settings.encryption_keys)
    assert keys.rotate(session, rotated, CONSOLE).options == {"key_id": key_id(FRESH).hex()}
