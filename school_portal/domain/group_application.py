"""The workflow of a group application and of a student in it (rulebook 7)."""

from school_portal.domain.labels import LabelledEnum
from school_portal.domain.workflow import Role, Transition, Workflow


class ApplicationState(LabelledEnum):
    """Where a group application is."""

    DRAFT = "draft", "草稿"
    SIGNED = "signed", "已签名"
    SUBMITTED = "submitted", "已提交"
    ACCEPTED = "accepted", "已受理"
    RETURNED = "returned", "已退回"
    SCHEDULED = "scheduled", "已排考"
    RESULTS_RECORDED = "results_recorded", "已登记成绩"
    CLOSED = "closed", "已办结"
    WITHDRAWN = "withdrawn", "已撤回"


class ApplicationAction(LabelledEnum):
    """What can be done to a group application."""

    SIGN = "sign", "签名"
    REVISE = "revise", "修改"
    SUBMIT = "submit", "提交"
    ACCEPT = "accept", "受理"
    RETURN = "return", "退回"
    SCHEDULE = "schedule", "排考"
    RECORD_RESULTS = "record_results", "登记成绩"
    CLOSE = "close", "办结"
    WITHDRAW = "withdraw", "撤回"


class MemberState(LabelledEnum):
    """Where one student in a group application is."""

    INCLUDED = "included", "在册"
    RETURNED = "returned", "已退回"
    WITHDRAWN = "withdrawn", "已撤回"
    REPLACED = "replaced", "已替换"
    PASSED = "passed", "合格"
    FAILED = "failed", "不合格"


class MemberAction(LabelledEnum):
    """What can be done to one student in a group application."""

    RETURN = "return", "退回"
    WITHDRAW = "withdraw", "撤回"
    REPLACE = "replace", "替换"
    PASS = "pass", "登记合格"
    FAIL = "fail", "登记不合格"


# Draft to scheduled (rulebook 4, ONCE). A returned application is the school's to revise, and
# holds its students until it is withdrawn; a student returned, withdrawn or replaced is free.
OPEN_STATES = frozenset(
    {
        ApplicationState.DRAFT,
        ApplicationState.SIGNED,
        ApplicationState.SUBMITTED,
        ApplicationState.ACCEPTED,
        ApplicationState.RETURNED,
        ApplicationState.SCHEDULED,
    }
)
HOLDING_MEMBER_STATES = frozenset({MemberState.INCLUDED})

_SCHOOL = frozenset({Role.SCHOOL})
# Applications on the qualification route are addressed to the centre, the others to a body.
_ADDRESSEES = frozenset({Role.BODY, Role.CENTRE})


def _move(
    sources: set[ApplicationState],
    action: ApplicationAction,
    roles: frozenset[Role],
    target: ApplicationState,
) -> Transition[ApplicationState, ApplicationAction]:
    return Transition(frozenset(sources), action, roles, target)


APPLICATION_WORKFLOW = Workflow(
    "团体申报",
    [
        _move({ApplicationState.DRAFT}, ApplicationAction.SIGN, _SCHOOL, ApplicationState.SIGNED),
        _move(
            {ApplicationState.SIGNED, ApplicationState.RETURNED},
            ApplicationAction.REVISE,
            _SCHOOL,
            ApplicationState.DRAFT,
        ),
        _move(
            {ApplicationState.SIGNED}, ApplicationAction.SUBMIT, _SCHOOL, ApplicationState.SUBMITTED
        ),
        _move(
            {ApplicationState.SUBMITTED},
            ApplicationAction.ACCEPT,
            _ADDRESSEES,
            ApplicationState.ACCEPTED,
        ),
        _move(
            {ApplicationState.SUBMITTED},
            ApplicationAction.RETURN,
            _ADDRESSEES,
            ApplicationState.RETURNED,
        ),
        _move(
            {ApplicationState.ACCEPTED},
            ApplicationAction.SCHEDULE,
            _ADDRESSEES,
            ApplicationState.SCHEDULED,
        ),
        _move(
            {ApplicationState.SCHEDULED},
            ApplicationAction.RECORD_RESULTS,
            _ADDRESSEES,
            ApplicationState.RESULTS_RECORDED,
        ),
        _move(
            {ApplicationState.RESULTS_RECORDED},
            ApplicationAction.CLOSE,
            _ADDRESSEES,
            ApplicationState.CLOSED,
        ),
        _move(
            set(OPEN_STATES - {ApplicationState.SCHEDULED}),
            ApplicationAction.WITHDRAW,
            _SCHOOL,
            ApplicationState.WITHDRAWN,
        ),
    ],
)

MEMBER_WORKFLOW: Workflow[MemberState, MemberAction] = Workflow(
    "团体申报中的学生",
    [
        Transition(frozenset({MemberState.INCLUDED}), action, roles, target)
        for action, roles, target in (
            (MemberAction.RETURN, _ADDRESSEES, MemberState.RETURNED),
            (MemberAction.WITHDRAW, _SCHOOL, MemberState.WITHDRAWN),
            (MemberAction.REPLACE, _SCHOOL, MemberState.REPLACED),
            (MemberAction.PASS, _ADDRESSEES, MemberState.PASSED),
            (MemberAction.FAIL, _ADDRESSEES, MemberState.FAILED),
        )
    ],
)
