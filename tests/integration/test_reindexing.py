"""A new index key: whoever was found is found, whatever was refused is refused, in one step."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from datetime import timedelta
from pathlib import Path
from threading import Thread

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from school_portal.app import build
from school_portal.config import Settings, read
from school_portal.extensions import db
from school_portal.models import (
    AccountOpening,
    ApplicationMember,
    AuditEvent,
    CaSignature,
    Restriction,
    RosterRow,
    School,
    SignedSubmission,
    Student,
    WrappedKey,
)
from school_portal.security.cipher import Unreadable, key_id
from school_portal.services import (
    account_openings,
    challenges,
    facts,
    group_submission,
    key_sign_in,
    keys,
    personal,
    personal_changes,
    receipt_files,
    receipts,
    reindexing,
    rosters,
    saving,
)
from school_portal.services.access import Actor, Refused
from school_portal.services.challenges import Use, Visit
from school_portal.services.portal import Portal
from school_portal.services.setup import initialise
from tests.conftest import FakeClock
from tests.factories.authority import KEY_ID, World
from tests.factories.operation import resident_id, student, workbook
from tests.factories.signing import ORIGIN, Signers, ca_settings, signers
from tests.faults.conftest import until
from tests.integration.test_keys import with_keys
from tests.integration.test_rosters import checked, codes, saved

CONSOLE = Actor.operator_at_the_console()
VISIT = Visit("browser", ORIGIN)
PASSPORT = {"证件类型": "护照", "证件号码*": "E12345678"}
HASHES = (
    RosterRow.document_index,
    RosterRow.mobile_index,
    Student.document_index,
    Student.mobile_index,
    ApplicationMember.document_index,
    Restriction.document_index,
    School.key_id_index,
    AccountOpening.key_id_index,
    CaSignature.key_id_index,
)


@pytest.fixture
def world() -> World:
    return World("sm2")


@pytest.fixture
def settings(environment: dict[str, str], tmp_path: Path, world: World) -> Settings:
    return read({**environment, **ca_settings(tmp_path, world)})


@pytest.fixture
def desk(
    session: Session, portal: Portal, world: World, monkeypatch: pytest.MonkeyPatch
) -> Signers:
    """Something in every table with hashes, and more rows than are read at once."""
    monkeypatch.setattr(reindexing, "CHUNK_SIZE", 2)
    made = signers(session, portal, world)
    school = made.operation.school
    key = school.uscc.encode()
    school.key_id_sealed = portal.vault.seal("schools", "key_id", key, KEY_ID)
    draft = made.drafts(school, 1, 2, 3)[0]
    signed = made.signed(made.message(draft))
    group_submission.submit(session, portal, made.actor, draft, signed, portal.clock())
    opening = account_openings.start(session, portal, CONSOLE, made.operation.other)
    entry = account_openings.Entry(key_id="OTHER@SF0002", operator_document=resident_id(9))
    account_openings.save(session, portal, opening, entry)
    session.add_all(
        Restriction(document_index=portal.vault.index("person", f"18:{resident_id(number)}"))
        for number in (1, 2)
    )
    session.commit()
    checked(session, portal, school, [student(4), student(5, **PASSPORT), student(1)])
    return made


@pytest.fixture
def elsewhere(app: Flask, settings: Settings, clock: FakeClock, desk: Signers) -> Iterator[Flask]:
    """Another process of the portal, which has used the index key before."""
    other = build(settings, clock)
    with other.app_context():
        other.extensions["portal"].vault.index("person", "x")
        db.session.remove()
    yield other
    with other.app_context():
        db.session.remove()
        db.engine.dispose()


def hashes(session: Session) -> dict[str, list[bytes | None]]:
    session.expire_all()
    return {
        str(column): list(session.scalars(sa.select(column).order_by(column.class_.id)))
        for column in HASHES
    }


def renew(session: Session, portal: Portal) -> reindexing.Reindexed:
    session.commit()
    done = reindexing.reindex(db.session(), portal, CONSOLE)
    session.commit()
    return done


def well(session: Session, portal: Portal, desk: Signers) -> None:
    """Everything is found by its number, once, and opens."""
    own, other = session.scalars(sa.select(School).order_by(School.id))
    acting = Actor.operator_at_the_console(own.id)
    for number in (1, 2, 3):
        found = personal.find(session, portal, acting, resident_id(number))
        assert found is not None
        held = personal.held(session, portal, found)
        assert (held.document, held.mobile) == (resident_id(number), f"138{number:08d}")
        assert len(held.members) == 1
        assert len(held.restrictions) == (number < 3)
    session.commit()
    again = checked(session, portal, own, [student(1), student(2, **{"姓名*": "改名"}), student(6)])
    assert (again.created, again.unchanged + again.updated) == (1, 2)
    elsewhere = checked(session, portal, other, [student(1)])
    assert codes(rosters.document(session, elsewhere)) == [(2, "证件号码", "row.other-school")]
    loaded = facts.load(session, own)
    assert sum(bool(one.restrictions) for one in loaded.students) == 2
    assert all(one.held for one in loaded.students if one.student_no < "202400004")
    text, _ = challenges.issue(session, portal.clock(), VISIT, Use.CA_KEY)
    leaf = desk.world.leaf()
    signed = desk.signed(f"school-portal/v1\n{ORIGIN}\nsign-in\n{text}", leaf)
    assert portal.trust is not None
    key = key_sign_in.Signed(signed.certificate, signed.signature, text)
    opened = key_sign_in.sign_in(session, portal, portal.trust, key, VISIT)
    assert opened is not None
    seen = session.scalars(sa.select(CaSignature.key_id_index).distinct()).all()
    assert seen == [own.key_id_index]
    session.commit()


def test_whoever_was_found_is_found(
    session: Session, portal: Portal, desk: Signers, elsewhere: Flask
) -> None:
    before = hashes(session)
    done = renew(session, portal)
    after = hashes(session)
    for column, old in before.items():
        assert [value is None for value in after[column]] == [value is None for value in old]
        assert any(old)
        assert not {value for value in old if value} & set(after[column])
    assert asdict(done) == {
        "done": {
            "名册行": 3,
            "限制记录": 2,
            "学生": 3,
            "学校": 1,
            "开户与变更申请": 1,
            "签名记录": 1,
        },
        "left": {},
        "old_key": True,
    }
    session.commit()
    with elsewhere.app_context():
        well(db.session(), elsewhere.extensions["portal"], desk)
        db.session.remove()
    events = sa.select(AuditEvent.detail).where(AuditEvent.action == "keys.reindex")
    assert session.scalars(events).all() == [{"rows": 11, "left": 0}]


@pytest.mark.parametrize("lost", ["row", "its key"])
def test_a_lost_index_key_is_not_needed(
    app: Flask, session: Session, portal: Portal, desk: Signers, lost: str
) -> None:
    session.commit()
    kept = session.get_one(WrappedKey, "index")
    if lost == "row":
        session.delete(kept)
    else:
        kept.sealed = bytes(4) + kept.sealed[4:]
    session.commit()
    with pytest.raises(Unreadable):
        portal.vault.index("person", "x")
    session.rollback()
    with pytest.raises(Unreadable):
        initialise(portal.ring)
    session.rollback()
    assert not renew(session, portal).old_key
    well(session, portal, desk)


def test_the_hash_on_an_accounts_receipt_stays(
    session: Session, portal: Portal, desk: Signers
) -> None:
    opening = session.scalars(sa.select(AccountOpening)).one()
    opening.requested_at = portal.clock()  # before such hashes were kept
    shown = receipts.of_opening(opening)
    renew(session, portal)
    assert receipts.of_opening(opening) == shown != receipts.made_of(opening)


def test_a_passport_is_hashed_as_one(session: Session, portal: Portal, desk: Signers) -> None:
    renew(session, portal)
    kept = portal.vault.index("person", "passport:E12345678")
    wanted = sa.select(RosterRow.row).where(RosterRow.document_index == kept)
    assert session.scalars(wanted).all() == [3]


def test_rotating_the_ring_meets_signatures_and_what_is_staged(
    session: Session, portal: Portal, desk: Signers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "CHUNK_SIZE", 2)
    renew(session, portal)
    fresh = bytes(range(32))
    rotated = with_keys(session, portal, fresh, *portal.settings.encryption_keys)
    for _ in keys.reseal(session, rotated, key_id(fresh).hex()):
        session.commit()
    alone = with_keys(session, portal, fresh)
    assert [one["newest"] for one in keys.status(session, alone)["keys"]] == [True]
    session.expire_all()
    submission = session.scalars(sa.select(SignedSubmission)).one()
    assert receipt_files.document(session, alone, submission, "")["sha256"] == submission.digest
    well(session, alone, desk)


def test_the_old_key_is_kept_for_older_receipts(
    session: Session, portal: Portal, desk: Signers
) -> None:
    assert renew(session, portal).old_key
    names = session.scalars(sa.select(WrappedKey.name).order_by(WrappedKey.name)).all()
    assert names == ["index", "index-20261015020000", "receipt"]
    submission = session.scalars(sa.select(SignedSubmission)).one()
    assert receipt_files.document(session, portal, submission, "")["sha256"] == submission.digest


def test_a_roster_that_is_read_meanwhile_goes_on(
    session: Session, portal: Portal, desk: Signers, elsewhere: Flask, clock: FakeClock
) -> None:
    """Staged half under the old key and half under the new."""
    school = desk.operation.school
    rows = [student(number) for number in range(1, 2101)]
    roster = rosters.upload(session, portal, CONSOLE, school.id, workbook(rows), "名册.xlsx")
    session.commit()
    renewed = 0
    for step in rosters.read(session, portal, roster.id):
        session.commit()
        if 0 < step.done < 2100:
            renewed += 1
            clock.now += timedelta(minutes=1)
            with elsewhere.app_context():
                renew(db.session(), elsewhere.extensions["portal"])
                db.session.remove()
    session.commit()
    assert renewed == 1
    rosters.confirm(session, portal, CONSOLE, roster, accept_valid=False)
    session.commit()
    clock.now += timedelta(minutes=1)
    with elsewhere.app_context():
        renew(db.session(), elsewhere.extensions["portal"])
        db.session.remove()
    saving.save(session, portal, roster.id)
    session.commit()
    assert (roster.created, roster.updated + roster.unchanged) == (2097, 3)
    again = saved(session, portal, school, rows)
    assert (again.created, again.updated, again.unchanged) == (0, 0, 2100)


def test_rows_that_cannot_be_opened_stop_it_and_keep_their_hash_where_that_is_wanted(
    session: Session, portal: Portal, desk: Signers
) -> None:
    stranger = Restriction(document_index=bytes(32))
    session.add(stranger)
    last = session.scalars(sa.select(Student).order_by(Student.id)).all()[-1]
    last.document_sealed = bytes(4) + last.document_sealed[4:]
    session.commit()
    before = hashes(session)
    with pytest.raises(Refused, match=f"限制记录 1 行（编号 {stranger.id}）；学生 1 行（编号"):
        renew(session, portal)
    session.rollback()
    assert hashes(session) == before
    session.commit()
    done = reindexing.reindex(db.session(), portal, CONSOLE, leave_unreadable=True)
    session.commit()
    assert done.left == {"限制记录": [stranger.id], "学生": [last.id]}
    assert (stranger.document_index, last.document_index) == (
        bytes(32),
        before["Student.document_index"][-1],
    )


def test_one_person_twice_is_told(session: Session, portal: Portal, desk: Signers) -> None:
    first, second = session.scalars(sa.select(Student).order_by(Student.id).limit(2))
    number = portal.vault.unseal(
        "students", "document", first.document_index, first.document_sealed
    )
    second.document_sealed = portal.vault.seal(
        "students", "document", second.document_index, number
    )
    session.commit()
    with pytest.raises(Refused, match="登记了两次"):
        renew(session, portal)


def test_a_restriction_outlives_its_student(
    session: Session, portal: Portal, desk: Signers
) -> None:
    key = portal.vault.index("person", f"18:{resident_id(7)}")
    saved(session, portal, desk.operation.school, [student(7)])
    session.add(Restriction(document_index=key))
    session.flush()
    who = session.scalars(sa.select(Student).where(Student.document_index == key)).one()
    acting = Actor.operator_at_the_console(desk.operation.school.id)
    personal_changes.delete(session, portal, acting, who, "本人要求")
    renew(session, portal)
    saved(session, portal, desk.operation.school, [student(7)])
    loaded = facts.load(session, desk.operation.school)
    assert [bool(one.restrictions) for one in loaded.students if one.student_no == "202400007"]


def test_killed_halfway_it_has_changed_nothing(
    session: Session, portal: Portal, desk: Signers, environment: dict[str, str]
) -> None:
    before = hashes(session)
    session.commit()
    code = (
        "import os, signal\n"
        "from school_portal.services import reindexing as it\n"
        "from school_portal.cli.root import school_portal\n"
        "def halfway(session, table, made, write=it._write):\n"
        "    write(session, table, made)\n"
        "    if table.name == '学生':\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "it._write = halfway\n"
        "school_portal(['keys', 'reindex'])\n"
    )
    killed = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment, "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -9, killed.stderr
    assert hashes(session) == before
    well(session, portal, desk)


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)  # SQLite: one writer
def test_it_waits_for_those_who_write_and_they_for_it(
    session: Session, portal: Portal, desk: Signers, elsewhere: Flask
) -> None:
    """What was begun under the old key is found and made anew."""

    def beside() -> None:
        with elsewhere.app_context(), closing(db.session()) as own:
            reindexing.reindex(own, elsewhere.extensions["portal"], CONSOLE)
            own.commit()

    session.commit()
    school = desk.operation.other
    late = portal.vault.index("key-id", "LATE@SF0003")
    other = Thread(target=beside)
    other.start()
    waiting = sa.text("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    until(lambda: session.scalar(waiting), "the other to wait")
    school.key_id_index = late
    school.key_id_sealed = portal.vault.seal(
        "schools", "key_id", school.uscc.encode(), "LATE@SF0003"
    )
    session.commit()
    other.join()
    assert school.key_id_index == portal.vault.index("key-id", "LATE@SF0003") != late
