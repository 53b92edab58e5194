"""A school's permissions for group applications: asked for, granted, revoked (rulebook 4, 6)."""

from collections.abc import Iterable

from school_portal.domain.labels import LabelledEnum
from school_portal.domain.levels import Level, TrainingLevel
from school_portal.domain.workflow import Role, Transition, Workflow


class PermissionState(LabelledEnum):
    """Where one line of a permission application is."""

    REQUESTED = "requested", "待审核"
    GRANTED = "granted", "已开通"
    REFUSED = "refused", "不予开通"
    REVOKED = "revoked", "已撤销"
    WITHDRAWN = "withdrawn", "已撤回"


class PermissionAction(LabelledEnum):
    """What can be done to a line."""

    GRANT = "grant", "开通"
    REFUSE = "refuse", "不予开通"
    REVOKE = "revoke", "撤销"
    WITHDRAW = "withdraw", "撤回"


_CENTRE = frozenset({Role.CENTRE})

PERMISSION_WORKFLOW = Workflow(
    "申报权限",
    [
        Transition(
            frozenset({PermissionState.REQUESTED}),
            PermissionAction.GRANT,
            _CENTRE,
            PermissionState.GRANTED,
            "不超过学校最高培养层次的等级上限；没有评估结论时须确认",
        ),
        Transition(
            frozenset({PermissionState.REQUESTED}),
            PermissionAction.REFUSE,
            _CENTRE,
            PermissionState.REFUSED,
            "写明理由",
        ),
        Transition(
            frozenset({PermissionState.GRANTED}),
            PermissionAction.REVOKE,
            _CENTRE,
            PermissionState.REVOKED,
            "写明理由",
        ),
        Transition(
            frozenset({PermissionState.REQUESTED}),
            PermissionAction.WITHDRAW,
            frozenset({Role.SCHOOL}),
            PermissionState.WITHDRAWN,
        ),
    ],
)


def cap_of(training_levels: Iterable[TrainingLevel]) -> Level:
    """The highest level that a school of these training levels may be permitted (rulebook 6, 3).

    Levels count downwards: the cap is the smallest number. Raises ValueError for none.
    """
    return min(level.cap for level in training_levels)
