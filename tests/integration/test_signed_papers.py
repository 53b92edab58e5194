"""Evaluation, account and permission applications: who signs them, what is kept and refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.config import Settings, read
from school_portal.demo import authority
from school_portal.domain.facts import Node
from school_portal.domain.specialty_evaluation import EvaluationAction
from school_portal.models import AuditEvent, CaSignature, SignedSubmission
from school_portal.security import receipts
from school_portal.security.ca.certificates import read_certificate
from school_portal.security.canonical import canonical
from school_portal.services import (
    account_openings,
    permission_requests,
    signed_contents,
    signed_papers,
    submissions,
    verification,
)
from school_portal.services.access import NotFound, Refused
from school_portal.services.permission_requests import Wanted, uid_of
from school_portal.services.portal import Portal
from school_portal.services.signed_papers import Content, NotSigned, Signed
from tests.factories.accounts import CENTRE, DOCUMENT, MOBILE, entry
from tests.factories.authority import KEY_ID, OID, World
from tests.factories.evaluations import NURSE_5, PDF, WRITTEN, Desk, carry_more
from tests.factories.signing import ORIGIN, Signers, ca_settings, signers

KINDS = ("specialty-evaluation", "account-opening", "permission-request")


@pytest.fixture
def world() -> World:
    return World("sm2")


@pytest.fixture
def settings(environment: dict[str, str], tmp_path: Path, world: World) -> Settings:
    return read({**environment, **ca_settings(tmp_path, world)})


@pytest.fixture
def desk(session: Session, portal: Portal, world: World) -> Signers:
    made = signers(session, portal, world)
    carry_more(session, made.operation)
    session.commit()
    return made


@dataclass
class Sheet:
    """A paper ready to be signed: what it says now, how it is handed in, how it is changed."""

    desk: Signers
    content: Callable[[], Content]
    send: Callable[[Signed | None], object]
    change: Callable[[], None]

    def signed(self) -> Signed:
        return self.desk.signed(signed_papers.message(ORIGIN, self.content()))

    @property
    def kept(self) -> list[SignedSubmission]:
        return list(signed_papers.of(self.desk.session, self.content()["uid"]))


def evaluation(desk: Signers) -> Sheet:
    session, portal, school = desk.session, desk.portal, desk.operation.school
    clerk = Desk(session, portal, school, desk.actor)
    draft = clerk.complete()
    return Sheet(
        desk,
        lambda: signed_contents.of_evaluation(portal.vault, draft),
        lambda signed: submissions.submit(
            session, portal, desk.actor, draft, portal.clock(), signed=signed
        ),
        lambda: clerk.save(draft, leader="另一位主任"),
    )


def opening(desk: Signers, key_id: str = KEY_ID) -> Sheet:
    session, portal, school = desk.session, desk.portal, desk.operation.school
    form = entry(key_id=key_id)
    draft = account_openings.start(session, portal, desk.actor, school)
    account_openings.save(session, portal, draft, form)
    return Sheet(
        desk,
        lambda: signed_contents.of_opening(portal.vault, draft, draft.kind),
        lambda signed: account_openings.request(
            session, portal, desk.actor, draft, portal.clock(), signed
        ),
        lambda: account_openings.save(session, portal, draft, replace(form, leader="另一位主任")),
    )


def permission(desk: Signers) -> Sheet:
    session, portal, school = desk.session, desk.portal, desk.operation.school
    wanted = [Wanted(Node.SOCIAL, [NURSE_5], uid_of(portal.vault, school, "nonce"))]

    def change() -> None:
        wanted[0] = Wanted(Node.SOCIAL, [NURSE_5], uid_of(portal.vault, school, "another"))

    return Sheet(
        desk,
        lambda: signed_contents.of_permissions(
            school, wanted[0].uid, Node.SOCIAL, wanted[0].projects
        ),
        lambda signed: permission_requests.request(
            session, portal, desk.actor, school, wanted[0], portal.clock(), signed
        ),
        change,
    )


SHEETS = dict(zip(KINDS, (evaluation, opening, permission), strict=True))


@pytest.fixture(params=KINDS)
def sheet(request: pytest.FixtureRequest, desk: Signers) -> Sheet:
    made = SHEETS[request.param](desk)
    desk.session.commit()
    return made


def refused(sheet: Sheet, signed: Signed | None) -> str:
    """Why nothing was handed in, and that nothing was."""
    with pytest.raises((NotSigned, Refused)) as raised:
        sheet.send(signed)
    sheet.desk.session.rollback()
    kept = sheet.desk.session.scalar(sa.select(sa.func.count()).select_from(CaSignature))
    assert kept == 0 and sheet.kept == []
    told = raised.value
    return f"{told}{told.told}" if isinstance(told, NotSigned) else str(told)


def holds(file: bytes, world: World) -> dict[str, bool | None]:
    bundle = [read_certificate(one.der) for one in world.bundle]
    return {one.name: one.holds for one in receipts.check(file, bundle)}


def test_signed_with_the_right_key_and_the_receipt_holds(sheet: Sheet, world: World) -> None:
    desk, content = sheet.desk, sheet.content()
    sheet.send(sheet.signed())
    desk.session.commit()
    (kept,) = sheet.kept
    paper = verification.find(desk.session, content["uid"])
    (told,) = verification.verify(desk.session, paper).handed_in
    assert told.signed is kept and kept.signature.purpose == "submit"

    number, document = verification.file(
        desk.session, desk.portal, desk.actor, content["uid"], kept.digest
    )
    file = canonical(document)
    assert number == paper.number == document["number"]
    assert document["content"] == content
    assert set(holds(file, world).values()) == {True}
    told_by = "".join(one.text for one in receipts.check(file, None))
    assert f"材料为{receipts.KINDS[content['kind']]}。" in told_by and number in told_by
    for place in range(0, len(file), 101):
        changed = bytearray(file)
        changed[place] ^= 1
        assert False in holds(bytes(changed), world).values(), place
    for secret in (KEY_ID, DOCUMENT, MOBILE, WRITTEN["leader_phone"]):
        assert secret not in file.decode()
        assert sha256(secret.encode()).hexdigest() not in file.decode()


def test_without_a_signature_or_with_another_nothing_is_handed_in(sheet: Sheet) -> None:
    assert "没有收到签名" in refused(sheet, None)
    other = authority.for_a_person("9@SF-SOMEBODY-ELSE", OID)
    leaf = sheet.desk.world.leaf(extensions=other)
    message = signed_papers.message(ORIGIN, sheet.content())
    told = refused(sheet, sheet.desk.signed(message, leaf))
    assert "ca.key-id-unknown" in told and "********ELSE" in told and "SOMEBODY" not in told
    assert "ca.untrusted" in refused(sheet, sheet.desk.signed(message, World("rsa").leaf()))
    assert "ca.signature" in refused(sheet, sheet.desk.signed(message.replace("submit", "sign-in")))


def test_what_was_changed_since_is_not_what_was_signed(sheet: Sheet) -> None:
    signed = sheet.signed()
    sheet.change()
    sheet.desk.session.commit()
    assert "ca.signature" in refused(sheet, signed)


def test_a_signature_of_one_round_fits_no_later_one(desk: Signers) -> None:
    session, first = desk.session, opening(desk)
    signed = first.signed()
    first.send(signed)
    session.commit()
    draft = account_openings.unfinished(session, desk.operation.school)
    assert draft is not None
    account_openings.return_(session, desk.portal, CENTRE, draft, "印章不清。")
    session.commit()
    with pytest.raises(NotSigned, match=r"ca\.signature"):
        first.send(signed)
    session.rollback()
    first.send(first.signed())
    session.commit()
    assert [one.signed for one in verification.verify(session, draft).handed_in] == [
        *first.kept[::-1]
    ]


def test_an_evaluation_is_signed_anew_after_its_correction(desk: Signers) -> None:
    session, portal, case = desk.session, desk.portal, evaluation(desk)
    signed = case.signed()
    case.send(signed)
    session.commit()
    made = verification.find(session, case.content()["uid"])
    Desk.of(session, portal, desk.operation.school).decide(made, EvaluationAction.RETURN)
    made.correction_until = portal.today()
    session.commit()
    with pytest.raises(NotSigned, match=r"ca\.signature"):
        case.send(signed)
    session.rollback()
    case.send(case.signed())
    session.commit()
    newest, oldest = verification.verify(session, made).handed_in
    assert [oldest.signed, newest.signed] == case.kept


def test_one_page_asks_for_permissions_once(desk: Signers) -> None:
    asked = permission(desk)
    signed = asked.signed()
    asked.send(signed)
    desk.session.commit()
    with pytest.raises(Refused, match="QX2026000001"):
        asked.send(signed)


def test_annex_2_is_signed_by_the_key_that_it_names(desk: Signers, world: World) -> None:
    named = "7@SF-THE-NEW-KEY-01"
    change = opening(desk, named)
    desk.session.commit()
    assert "********0017）不是申请表所填的那一个" in refused(change, change.signed())
    leaf = world.leaf(extensions=authority.for_a_person(named, OID))
    change.send(desk.signed(signed_papers.message(ORIGIN, change.content()), leaf))
    desk.session.commit()
    assert len(change.kept) == 1


def test_a_school_without_a_key_signs_annex_2_alone(desk: Signers) -> None:
    school = desk.operation.school
    school.key_id_index = None
    desk.session.commit()
    assert signed_papers.proof_needed(desk.portal, school)
    for make in (evaluation, permission):
        sheet = make(desk)
        sheet.send(None)
        desk.session.commit()
        paper = verification.find(desk.session, sheet.content()["uid"])
        (told,) = verification.verify(desk.session, paper).handed_in
        assert told.signed is None and len(told.digest) == 64
    first = opening(desk)
    desk.session.commit()
    assert "没有收到签名" in refused(first, None)
    first.send(first.signed())


def test_what_stands_in_the_content(desk: Signers) -> None:
    case, form = evaluation(desk).content(), opening(desk).content()
    assert case["fields"]["leader"] == WRITTEN["leader"]
    assert case["programmes"][0]["sha256"] == sha256(PDF).hexdigest()
    assert (case["version"], case["lines"][0]["occupation"]) == (1, "调饮师")
    assert (form["request"], form["fields"]["handled_on"]) == ("change", "2026-10-15")
    hidden = ("leader_mobile", "contact_mobile", "operator_document", "key_id")
    hashes = [form["fields"][name] for name in hidden] + [case["fields"]["leader_phone"]]
    assert {len(one) for one in hashes} == {64} and len(set(hashes)) == 5


def test_the_receipt_is_the_schools_and_the_centres(desk: Signers) -> None:
    session, portal, form = desk.session, desk.portal, opening(desk)
    form.send(form.signed())
    session.commit()
    (kept,) = form.kept
    uid = form.content()["uid"]
    assert verification.file(session, portal, CENTRE, uid, kept.digest)
    session.commit()
    stranger = Desk.of(session, portal, desk.operation.other).actor
    with pytest.raises(NotFound):
        verification.file(session, portal, stranger, uid, kept.digest)
    actions = session.scalars(sa.select(AuditEvent.action)).all()
    assert actions.count("submission.receipt") == 1


class TestWithoutKeys:
    """A portal that trusts no CA."""

    @pytest.fixture
    def settings(self, environment: dict[str, str]) -> Settings:
        return read(environment)

    def test_nothing_is_signed(self, sheet: Sheet) -> None:
        desk, uid = sheet.desk, sheet.content()["uid"]
        assert not signed_papers.proof_needed(desk.portal, desk.operation.school)
        sheet.send(None)
        desk.session.commit()
        told = verification.verify(desk.session, verification.find(desk.session, uid))
        assert sheet.kept == [] and not told.is_signed
        assert told.number.endswith("2026000001")
