"""What stands against an application of annex 2, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.domain.account import OpeningKind, OpeningState, mask_key_id, parse_key_id
from school_portal.domain.identifiers import (
    INVALID_CHECKSUM,
    Document,
    DocumentType,
    mask_document,
    mask_mobile,
    parse_mobile,
    read_document,
)
from school_portal.models import AccountOpening, School
from school_portal.security.vault import Vault
from school_portal.services.permissions import not_open_to
from school_portal.services.portal import Portal

# In the centre's hands: a keyID asked for here is nobody else's to ask for.
IN_HAND = (OpeningState.REQUESTED, OpeningState.ORIGINAL_RECEIVED)
KEY_TAKEN = "该 keyID 已属于另一个账户，或已在另一份申请中。"
NAMES = {
    "legal_representative": "法人代表",
    "district": "所属区",
    "leader": "负责人（分管领导）",
    "contact": "联系人",
    "operator": "平台操作人员姓名",
    "opinion": "申报单位意见",
    "handler": "经办人",
    "handled_on": "经办日期",
}
MOBILES = {"leader_mobile": "负责人联系方式（手机）", "contact_mobile": "联系人联系方式（手机）"}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a field, and what to do; the value, if any, masked."""

    field: str
    text: str


@dataclass(frozen=True, slots=True)
class Personal:
    """The application's personal data, whole, empty where not given; `masked` for pages."""

    leader_mobile: str
    contact_mobile: str
    operator_document: str
    key_id: str

    @property
    def masked(self) -> Personal:
        return Personal(
            mask_mobile(self.leader_mobile),
            mask_mobile(self.contact_mobile),
            mask_document(self.operator_document),
            mask_key_id(self.key_id) if self.key_id else "",
        )


def personal(vault: Vault, opening: AccountOpening) -> Personal:
    """What is sealed in the application."""

    def opened(column: str) -> str:
        sealed = getattr(opening, f"{column}_sealed")
        if sealed is None:
            return ""
        return vault.unseal("account_openings", column, opening.row_key, sealed)

    return Personal(*(opened(column) for column in Personal.__slots__))


def problems(session: Session, portal: Portal, opening: AccountOpening) -> list[Problem]:
    """Everything that keeps the application from being handed in today, in the form's order."""
    given = personal(portal.vault, opening)
    found = [
        *_about_names(portal, opening),
        *_about_mobiles(given),
        *_about_operator(portal, given),
        *_about_key(session, portal, opening, given),
        *_about_lines(session, portal, opening),
    ]
    order = [*AccountOpening.__table__.columns.keys(), "lines"]
    places = {name.removesuffix("_sealed"): place for place, name in enumerate(order)}
    return sorted(found, key=lambda problem: places[problem.field])


def _about_names(portal: Portal, opening: AccountOpening) -> Iterator[Problem]:
    for field, label in NAMES.items():
        if not getattr(opening, field):
            yield Problem(field, f"请填写“{label}”。")
    if opening.handled_on is not None and opening.handled_on > portal.today():
        yield Problem("handled_on", f"“经办日期”{opening.handled_on} 晚于今天，请改正。")


def _about_mobiles(given: Personal) -> Iterator[Problem]:
    for field, label in MOBILES.items():
        mobile = getattr(given, field)
        if not mobile:
            yield Problem(field, f"请填写“{label}”。")
        elif parse_mobile(mobile) is None:
            shown = getattr(given.masked, field)
            yield Problem(field, f"“{label}”{shown} 不是 11 位手机号码，请改正。")


def _about_operator(portal: Portal, given: Personal) -> Iterator[Problem]:
    number, label = given.operator_document, "“平台操作人员身份证号”"
    if not number:
        yield Problem("operator_document", f"请填写{label}。")
        return
    read = read_document(DocumentType.RESIDENT_ID, number, portal.today())
    if not isinstance(read, Document):
        why = "校验位不对" if read == INVALID_CHECKSUM else "不是有效的 18 位居民身份证号"
        shown = mask_document(number)
        yield Problem("operator_document", f"{label}{shown} {why}，请核对证件后改正。")


def _about_key(
    session: Session, portal: Portal, opening: AccountOpening, given: Personal
) -> Iterator[Problem]:
    if not given.key_id:
        yield Problem("key_id", "请填写“对应的经办人 keyID”。")
    elif parse_key_id(given.key_id) is None:
        yield Problem(
            "key_id",
            "keyID 须为 8 至 128 个英文字母、数字或符号，中间没有空格，请从“协卡助手——证书管理——"
            "签名证书——通用实体唯一标识号”完整复制。",
        )
    elif _is_taken(session, opening):
        yield Problem("key_id", f"{KEY_TAKEN}请核对签名证书后改正。")
    elif opening.kind is OpeningKind.CHANGE and _changes_nothing(session, portal, opening, given):
        yield Problem("key_id", "keyID 和平台操作人员都与现账户相同，没有要变更的内容，请改正。")


def _is_taken(session: Session, opening: AccountOpening) -> bool:
    account = sa.select(School.id).where(
        School.key_id_index == opening.key_id_index, School.id != opening.school_id
    )
    asked = sa.select(AccountOpening.id).where(
        AccountOpening.key_id_index == opening.key_id_index,
        AccountOpening.school_id != opening.school_id,
        AccountOpening.state.in_(IN_HAND),
    )
    return session.scalar(sa.select(sa.exists(account) | sa.exists(asked))) is True


def _changes_nothing(
    session: Session, portal: Portal, opening: AccountOpening, given: Personal
) -> bool:
    """The present key with the present operator; an operator taken over is not known."""
    if opening.school.key_id_index != opening.key_id_index:
        return False
    present = session.scalar(
        sa.select(AccountOpening)
        .where(
            AccountOpening.school_id == opening.school_id,
            AccountOpening.state == OpeningState.APPROVED,
        )
        .order_by(AccountOpening.requested_at.desc(), AccountOpening.id.desc())
        .limit(1)
    )
    if present is None:
        return False
    return personal(portal.vault, present).operator_document == given.operator_document


def _about_lines(session: Session, portal: Portal, opening: AccountOpening) -> Iterator[Problem]:
    if opening.kind is OpeningKind.OPENING and not opening.lines:
        yield Problem("lines", "请至少选择一项“申请的职业（工种）及等级”。")
    asked = [line.project for line in opening.lines]
    for text in not_open_to(session, opening.school, None, asked, portal.today()):
        yield Problem("lines", text)
