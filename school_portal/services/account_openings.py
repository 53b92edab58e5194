"""Annex 2: a school asks for an account, or for another key or operator (rulebook 6, 1 and 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.account import (
    ACCOUNT_WORKFLOW,
    OPENING_WORKFLOW,
    AccountAction,
    AccountState,
    OpeningAction,
    OpeningKind,
    OpeningState,
    parse_key_id,
)
from school_portal.domain.identifiers import parse_mobile
from school_portal.domain.labels import fold
from school_portal.domain.projects import Project
from school_portal.domain.texts import trimmed
from school_portal.domain.windows import civil_date
from school_portal.domain.workflow import Role
from school_portal.models import AccountOpening, OpeningLine, School, User
from school_portal.services import (
    numbering,
    opening_check,
    receipts,
    school_accounts,
    school_keys,
    sign_ins,
    signed_papers,
)
from school_portal.services.access import Actor, Refused, lock
from school_portal.services.opening_check import personal
from school_portal.services.portal import Portal
from school_portal.services.signed_contents import of_opening
from school_portal.services.signed_papers import Paper, Signed
from school_portal.services.transitions import apply

UNLOCKED = (OpeningState.DRAFT, OpeningState.RETURNED)
UNFINISHED = (*UNLOCKED, *opening_check.IN_HAND)


@dataclass(frozen=True, slots=True)
class Entry:
    """Annex 2 as the school fills it in, texts as typed; no document: the one kept stays."""

    legal_representative: str = ""
    district: str = ""
    leader: str = ""
    leader_mobile: str = ""
    contact: str = ""
    contact_mobile: str = ""
    operator: str = ""
    operator_document: str | None = None
    key_id: str = ""
    dual_certificate: bool = False
    opinion: str = ""
    handler: str = ""
    handled_on: date | None = None
    lines: Sequence[Project] = ()


def kind_for(state: AccountState) -> OpeningKind:
    """What an application asks for while the account is in that state."""
    closed = state in (AccountState.NOT_OPEN, AccountState.CLOSED)
    return OpeningKind.OPENING if closed else OpeningKind.CHANGE


def unfinished(session: Session, school: School) -> AccountOpening | None:
    """The school's application under way; there is at most one."""
    return session.scalar(
        sa.select(AccountOpening).where(
            AccountOpening.school_id == school.id, AccountOpening.state.in_(UNFINISHED)
        )
    )


def blank(session: Session, portal: Portal, actor: Actor, school: School) -> AccountOpening:
    """The form before a word is written, with what is known of the school; nothing is kept."""
    now = portal.clock()
    user = session.get(User, actor.user_id) if actor.user_id else None
    return AccountOpening(
        school=school,
        kind=kind_for(school_accounts.state_of(session, school, portal.today())),
        state=OpeningState.DRAFT,
        legal_representative=school.legal_representative,
        district=school.district,
        operator=user.name if user and user.name != user.username else "",
        dual_certificate=False,
        created_by_id=actor.user_id,
        created_at=now,
        saved_at=now,
    )


def start(session: Session, portal: Portal, actor: Actor, school: School) -> AccountOpening:
    """A new draft, with the first word. Raises Refused while another is under way."""
    lock(session, school.id)
    other = unfinished(session, school)
    if other is not None:
        name = f"“{other.number}”" if other.number else ""
        raise Refused(f"本校已有一份{other.kind.label}申请{name}在办，请先办完或撤回。")
    opening = blank(session, portal, actor, school)
    session.add(opening)
    session.flush()
    return opening


def save(session: Session, portal: Portal, opening: AccountOpening, entry: Entry) -> None:
    """Keep what was typed, right or wrong. Raises Refused once it is handed in."""
    session.refresh(opening, with_for_update=True)
    if opening.state not in UNLOCKED:
        raise Refused(f"申请表当前为“{opening.state.label}”，不能修改。请刷新页面查看最新状态。")
    for name in opening_check.NAMES:
        if name != "handled_on":
            setattr(opening, name, trimmed(getattr(entry, name)))
    opening.handled_on = entry.handled_on
    opening.dual_certificate = entry.dual_certificate
    _seal(portal, opening, "leader_mobile", _mobile(entry.leader_mobile))
    _seal(portal, opening, "contact_mobile", _mobile(entry.contact_mobile))
    if entry.operator_document is not None:
        _seal(portal, opening, "operator_document", fold(entry.operator_document).upper())
    key_id = parse_key_id(entry.key_id)
    _seal(portal, opening, "key_id", key_id or trimmed(entry.key_id))
    opening.key_id_index = portal.vault.index("key-id", key_id) if key_id else None
    if [line.project for line in opening.lines] != list(entry.lines):
        opening.lines = [OpeningLine(**one.columns()) for one in dict.fromkeys(entry.lines)]
    opening.saved_at = portal.clock()
    session.flush()


def _mobile(text: str) -> str:
    return parse_mobile(text) or trimmed(text)


def _seal(portal: Portal, opening: AccountOpening, column: str, text: str) -> None:
    sealed = portal.vault.seal("account_openings", column, opening.row_key, text) if text else None
    setattr(opening, f"{column}_sealed", sealed)


def _apply(
    session: Session,
    portal: Portal,
    actor: Actor,
    opening: AccountOpening,
    action: OpeningAction,
    reason: str = "",
    **detail: str,
) -> None:
    apply(
        session,
        OPENING_WORKFLOW,
        opening,
        action,
        actor.role or Role.SYSTEM,
        actor=actor,
        at=portal.clock(),
        reason=reason,
        **detail,
    )


def kind_now(session: Session, portal: Portal, opening: AccountOpening) -> OpeningKind:
    """What the application asks for where it is handed in today."""
    return kind_for(school_accounts.state_of(session, opening.school, portal.today()))


def request(
    session: Session,
    portal: Portal,
    actor: Actor,
    opening: AccountOpening,
    arrived_at: datetime,
    signed: Signed | None = None,
) -> None:
    """Hand the application in, with a number, signed by the key that it names.

    Raises Refused where anything is wrong, and as signed_papers.take where a key has to sign.
    """
    session.refresh(opening, with_for_update=True)
    opening.kind = kind_now(session, portal, opening)
    wrong = opening_check.problems(session, portal, opening)
    if opening.state in UNLOCKED:
        if wrong:
            raise Refused(f"申请表有 {len(wrong)} 处需要改正：{''.join(one.text for one in wrong)}")
        _sign(session, portal, actor, opening, signed, arrived_at)
    year = portal.today().year
    if opening.number is None:
        (opening.number,) = numbering.numbers(session, "account-opening", "KH", year)
    opening.requested_at = arrived_at
    opening.receipt_digest = receipts.made_of(opening)
    _apply(session, portal, actor, opening, OpeningAction.REQUEST, number=opening.number)


def _sign(
    session: Session,
    portal: Portal,
    actor: Actor,
    opening: AccountOpening,
    signed: Signed | None,
    at: datetime,
) -> None:
    key = signed_papers.key_for(portal, opening.school, opening)
    if key is not None:
        content = of_opening(portal.vault, opening, opening.kind)
        paper = Paper(opening.subject, opening.school_id, content, key)
        signed_papers.take(session, portal, actor, paper, signed, at)


def withdraw(session: Session, portal: Portal, actor: Actor, opening: AccountOpening) -> None:
    """Give the application up. Raises Refused."""
    _apply(session, portal, actor, opening, OpeningAction.WITHDRAW)


def receive_original(
    session: Session, portal: Portal, actor: Actor, opening: AccountOpening, day: date
) -> None:
    """The day on which the signed and sealed original came to the window. Raises Refused."""
    if day > portal.today():
        raise Refused(f"收到原件的日期 {day} 晚于今天，请核对后重新填写。")
    if opening.requested_at is not None and day < civil_date(opening.requested_at):
        requested = civil_date(opening.requested_at)
        raise Refused(f"收到原件的日期 {day} 早于提交申请的 {requested}，请核对后重新填写。")
    action = OpeningAction.RECEIVE_ORIGINAL
    _apply(session, portal, actor, opening, action, day=day.isoformat())
    opening.original_received_on = day


def return_(
    session: Session, portal: Portal, actor: Actor, opening: AccountOpening, reason: str
) -> None:
    """Give it back, the whole form unlocked; another original is to come. Raises Refused."""
    _apply(session, portal, actor, opening, OpeningAction.RETURN, reason)
    opening.original_received_on = None


def approve(session: Session, portal: Portal, actor: Actor, opening: AccountOpening) -> None:
    """The application's key becomes the account's, and an old one stops at this moment.

    An opening's account then waits to be opened. Raises Refused, also where another account took
    the keyID meanwhile.
    """
    school = lock(session, opening.school_id)
    _apply(session, portal, actor, opening, OpeningAction.APPROVE)
    account = school_accounts.account_of(session, school, portal.today())
    if kind_for(account.state) is not opening.kind:
        raise Refused(
            f"账户现为“{account.state.label}”，这份{opening.kind.label}申请已不适用，"
            "请退回，由学校重新提交。"
        )
    if opening.kind is OpeningKind.OPENING:
        action, role = AccountAction.APPROVE, actor.role or Role.SYSTEM
        now = portal.clock()
        apply(session, ACCOUNT_WORKFLOW, account, action, role, actor=actor, at=now)
    _give_key(session, portal, school, opening)
    school_keys.stop(session, school, portal.clock(), actor)


def _give_key(session: Session, portal: Portal, school: School, opening: AccountOpening) -> None:
    """Whoever is in by the old key is out: it may be lost, or its holder gone."""
    key_id = personal(portal.vault, opening).key_id
    if school.key_id_index != opening.key_id_index:
        sign_ins.end_by_key(session, school)
    try:
        with session.begin_nested():
            school.key_id_index = opening.key_id_index
            school.key_id_sealed = portal.vault.seal(
                "schools", "key_id", school.uscc.encode(), key_id
            )
    except sa.exc.IntegrityError:
        raise Refused(f"{opening_check.KEY_TAKEN}请退回，由学校核对。") from None
