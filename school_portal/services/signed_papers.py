"""Papers signed with a school's key: who signs what, verified and kept (contract; rulebook 7)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.account import mask_key_id
from school_portal.models import AccountOpening, School, SignedSubmission
from school_portal.security import audit, receipt_key
from school_portal.security.ca.certificates import Certificate
from school_portal.security.ca.verification import CaRefused, Code, Verified, verify
from school_portal.security.canonical import canonical, digest
from school_portal.services import crl_overrides, school_keys, signatures
from school_portal.services.access import Actor, Refused, lock
from school_portal.services.portal import Portal

PURPOSE = "submit"
# What seals a content to its place: group applications were there first, and theirs still open.
PLACE = ("group_submissions", "content")
OFF = "本平台没有启用密钥签名，不能在线提交，请下载工作簿交评价机构。"
MISSING = "没有收到签名，没有提交。请确认密钥已插入、签名程序已运行，刷新页面后重新签名。"

Content = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Signed:
    """What came back from the school's key, and the origin of the page that asked for it."""

    certificate: Certificate
    signature: bytes
    origin: str


@dataclass(frozen=True, slots=True)
class Key:
    """The key that has to sign: its keyID's keyed hash, and what is said of another one."""

    index: bytes | None
    advice: str
    of_account: bool = True


@dataclass(frozen=True, slots=True)
class Paper:
    """What is signed: its subject in the audit trail, its school, its content, the key for it."""

    subject: str
    school_id: int
    content: Content
    key: Key


class NotSigned(CaRefused):
    """The key was refused for the paper.

    Of one that waits for the centre (`ca.key-not-accepted`) whoever catches it commits that;
    nothing else was changed.
    """

    def __init__(self, refused: CaRefused, subject: str) -> None:
        super().__init__(refused.code, refused.told)
        self.subject = subject


def account_key(school: School) -> Key:
    """The key of the school's account; where none is bound, no key fits."""
    return Key(school.key_id_index, "不是本校账户登记的那一个，请用本校的密钥签名。")


def key_for(portal: Portal, school: School, opening: AccountOpening | None = None) -> Key | None:
    """Which key signs the school's paper, None where it is handed in without (docs/receipts.md).

    Without key sign-in none does. Annex 2 is signed by the very key that it names; all else by the
    account's, and not at all while the school has no key: specialties are evaluated before.
    """
    if portal.trust is None:
        return None
    if opening is not None:
        return Key(
            opening.key_id_index,
            "不是申请表所填的那一个，请换用表中 keyID 的密钥签名；"
            "表上填错的，请返回修改 keyID 后重新核对。",
            of_account=False,
        )
    return account_key(school) if school.key_id_index else None


def proof_needed(portal: Portal, school: School) -> bool:
    """Whether proof of who one is stands in for a signature: the school has no key yet."""
    return portal.trust is not None and key_for(portal, school) is None


def message(origin: str, content: Content) -> str:
    """The very text that the school's key signs (contract)."""
    return signatures.message(origin, PURPOSE, digest(content))


def take(
    session: Session,
    portal: Portal,
    actor: Actor,
    paper: Paper,
    signed: Signed | None,
    at: datetime,
) -> SignedSubmission:
    """The paper with its signature, kept; nothing else of the paper is changed.

    Raises NotSigned for the key; Refused where there is no signature, or submission is off.
    """
    if portal.trust is None:
        raise Refused(OFF)
    if signed is None:
        raise Refused(MISSING)
    if actor.user_id is None:
        raise Refused("请登录学校账户后签名提交。")
    verified = _verified(session, portal, paper, signed, at)
    signature = signatures.keep(
        session,
        portal,
        signed.certificate,
        signed.signature,
        verified,
        purpose=PURPOSE,
        school_id=paper.school_id,
        user_id=actor.user_id,
        at=at,
    )
    receipt_key.ensure(session, portal.ring)
    hashed, text = digest(paper.content), canonical(paper.content).decode()
    kept = SignedSubmission(
        paper_uid=paper.content["uid"],
        arrived_at=at,
        digest=hashed,
        content_sealed=portal.vault.seal(*PLACE, hashed.encode(), text),
        signature=signature,
        issuers=[b64encode(one.der).decode() for one in verified.chain[1:]],
    )
    session.add(kept)
    return kept


def _verified(
    session: Session, portal: Portal, paper: Paper, signed: Signed, at: datetime
) -> Verified:
    """The signature, where it is of the paper's key. Raises NotSigned."""
    if portal.trust is None:
        raise Refused(OFF)
    text = message(signed.origin, paper.content)
    trust = crl_overrides.applied(session, portal.trust.read(), at)
    oid = portal.trust.key_id_oid
    try:
        verified = verify(signed.certificate, signed.signature, [text], trust, oid, at)
        if portal.vault.index("key-id", verified.key_id) != paper.key.index:
            told = f"证书的 keyID（{mask_key_id(verified.key_id)}）{paper.key.advice}"
            raise CaRefused(Code.KEY_ID_UNKNOWN, told)
        if paper.key.of_account:
            school = lock(session, paper.school_id)
            school_keys.meet(session, school, signed.certificate, at)
    except CaRefused as refused:
        raise NotSigned(refused, paper.subject) from None
    return verified


def note_refusal(session: Session, portal: Portal, actor: Actor, refused: NotSigned) -> None:
    """On record, in a transaction of its own: that of the paper is taken back."""
    audit.record(
        session,
        actor.label,
        "submission.refuse",
        refused.subject,
        at=portal.clock(),
        code=refused.code.value,
    )


def of(session: Session, paper_uid: str) -> Sequence[SignedSubmission]:
    """Each time that the paper was signed and handed in, the newest last."""
    return session.scalars(
        sa.select(SignedSubmission)
        .where(SignedSubmission.paper_uid == paper_uid)
        .order_by(SignedSubmission.id)
    ).all()
