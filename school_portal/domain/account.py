"""A school's account: the paper application (annex 2) and what it opens (rulebook 6)."""

import re

from school_portal.domain.labels import LabelledEnum
from school_portal.domain.workflow import Role, Transition, Workflow

_KEY_ID = re.compile(r"[!-~]{8,128}")
_SHOWN = 4


class OpeningKind(LabelledEnum):
    """What an application asks for."""

    OPENING = "opening", "开户"
    CHANGE = "change", "变更"


class OpeningState(LabelledEnum):
    """Where an application for an account, or for a change of it, is."""

    DRAFT = "draft", "草稿"
    REQUESTED = "requested", "已申请"
    ORIGINAL_RECEIVED = "original_received", "已收原件"
    APPROVED = "approved", "已批准"
    RETURNED = "returned", "已退回"
    WITHDRAWN = "withdrawn", "已撤回"


class OpeningAction(LabelledEnum):
    """What can be done to an application for an account."""

    REQUEST = "request", "提交申请"
    RECEIVE_ORIGINAL = "receive_original", "登记收到原件"
    APPROVE = "approve", "批准"
    RETURN = "return", "退回"
    WITHDRAW = "withdraw", "撤回"


class AccountState(LabelledEnum):
    """Where an account is; only an open one passes `ACCOUNT`."""

    NOT_OPEN = "not_open", "未开户"
    APPROVED = "approved", "待注册开户"
    OPEN = "open", "已开户"
    SUSPENDED = "suspended", "已暂停"
    CLOSED = "closed", "已注销"


class AccountAction(LabelledEnum):
    """What can be done to an account."""

    APPROVE = "approve", "批准开户"
    OPEN = "open", "开通"
    SUSPEND = "suspend", "暂停"
    RESUME = "resume", "恢复"
    CLOSE = "close", "注销"


_SCHOOL = frozenset({Role.SCHOOL})
_CENTRE = frozenset({Role.CENTRE})
_O, _A = OpeningState, AccountState

OPENING_WORKFLOW = Workflow(
    "开户与变更申请",
    [
        Transition(
            frozenset({_O.DRAFT, _O.RETURNED}),
            OpeningAction.REQUEST,
            _SCHOOL,
            _O.REQUESTED,
            "表中各项填写无误，keyID 不属于其他账户",
        ),
        Transition(
            frozenset({_O.REQUESTED}),
            OpeningAction.RECEIVE_ORIGINAL,
            _CENTRE,
            _O.ORIGINAL_RECEIVED,
            "写明收到签字盖章原件的日期",
        ),
        Transition(
            frozenset({_O.ORIGINAL_RECEIVED}),
            OpeningAction.APPROVE,
            _CENTRE,
            _O.APPROVED,
            "keyID 不属于其他账户",
        ),
        Transition(
            frozenset({_O.REQUESTED, _O.ORIGINAL_RECEIVED}),
            OpeningAction.RETURN,
            _CENTRE,
            _O.RETURNED,
            "写明理由",
        ),
        Transition(
            frozenset({_O.DRAFT, _O.REQUESTED, _O.RETURNED}),
            OpeningAction.WITHDRAW,
            _SCHOOL,
            _O.WITHDRAWN,
        ),
    ],
)

ACCOUNT_WORKFLOW = Workflow(
    "账户",
    [
        Transition(
            frozenset({_A.NOT_OPEN, _A.CLOSED}),
            AccountAction.APPROVE,
            _CENTRE,
            _A.APPROVED,
            "开户申请已批准",
        ),
        Transition(
            frozenset({_A.APPROVED}),
            AccountAction.OPEN,
            frozenset({Role.CENTRE, Role.SCHOOL}),
            _A.OPEN,
            "学校以所登记 keyID 的证书注册，或由中心开通",
        ),
        Transition(frozenset({_A.OPEN}), AccountAction.SUSPEND, _CENTRE, _A.SUSPENDED, "写明理由"),
        Transition(frozenset({_A.SUSPENDED}), AccountAction.RESUME, _CENTRE, _A.OPEN, "写明理由"),
        Transition(
            frozenset({_A.APPROVED, _A.OPEN, _A.SUSPENDED}),
            AccountAction.CLOSE,
            _CENTRE,
            _A.CLOSED,
            "写明理由",
        ),
    ],
)


def parse_key_id(text: str) -> str | None:
    """The complete 通用实体唯一标识号 as typed, its outer white space cut off; None for none.

    8 to 128 visible ASCII characters: no source settles its inner shape, so none is presumed.
    """
    trimmed = text.strip()
    return trimmed if _KEY_ID.fullmatch(trimmed) else None


def mask_key_id(key_id: str) -> str:
    """Its last four characters behind eight stars, whatever its length; too short a one: none."""
    return "*" * 8 + (key_id[-_SHOWN:] if len(key_id) > _SHOWN else "")
