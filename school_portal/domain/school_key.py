"""The key pairs of a school's keyID: which may be used (rulebook 6, 2)."""

from school_portal.domain.labels import LabelledEnum
from school_portal.domain.workflow import Role, Transition, Workflow


class KeyState(LabelledEnum):
    """Where a key pair is; only an accepted one signs in and signs."""

    NOT_IN_USE = "not_in_use", "未启用"
    ACCEPTED = "accepted", "可用"
    WAITING = "waiting", "待核准"
    REFUSED = "refused", "不予核准"


class KeyAction(LabelledEnum):
    """What can be done to a key pair."""

    USE = "use", "启用"
    RENEW = "renew", "更新"
    WAIT = "wait", "等待核准"
    ACCEPT = "accept", "核准"
    REFUSE = "refuse", "不予核准"
    STOP = "stop", "停用"


_CENTRE = frozenset({Role.CENTRE})
_SYSTEM = frozenset({Role.SYSTEM})
_K = KeyState

KEY_WORKFLOW = Workflow(
    "学校密钥",
    [
        Transition(
            frozenset({_K.NOT_IN_USE}),
            KeyAction.USE,
            _SYSTEM,
            _K.ACCEPTED,
            "开户、变更批准后首次使用的密钥",
        ),
        Transition(
            frozenset({_K.NOT_IN_USE, _K.WAITING}),
            KeyAction.RENEW,
            _SYSTEM,
            _K.ACCEPTED,
            "keyID 不变的另一把密钥，更新的密钥不须核准",
        ),
        Transition(
            frozenset({_K.NOT_IN_USE}),
            KeyAction.WAIT,
            _SYSTEM,
            _K.WAITING,
            "keyID 不变的另一把密钥，更新的密钥须经核准",
        ),
        Transition(frozenset({_K.WAITING, _K.REFUSED}), KeyAction.ACCEPT, _CENTRE, _K.ACCEPTED),
        Transition(frozenset({_K.WAITING}), KeyAction.REFUSE, _CENTRE, _K.REFUSED, "写明理由"),
        Transition(
            frozenset({_K.ACCEPTED, _K.WAITING}),
            KeyAction.STOP,
            _CENTRE | _SYSTEM,
            _K.NOT_IN_USE,
            "开户或变更申请已批准",
        ),
    ],
)


def fingerprint(digest: bytes) -> str:
    """The beginning of a SHA-256 in groups, as people compare it: 0A1B 2C3D 4E5F 6071."""
    return digest[:8].hex(" ", 2).upper()
