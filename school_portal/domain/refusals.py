"""One function a rule of rulebook 4: the failure, told in Chinese with what to do.

Nothing here names a person: a text is shared by all students to whom it applies.
"""

from collections.abc import Iterable
from datetime import date

from school_portal.domain.facts import Account, Body, BodyType, Node, Student
from school_portal.domain.levels import Level, TrainingLevel
from school_portal.domain.policy import Policy
from school_portal.domain.projects import Project
from school_portal.domain.roster import Enrolment
from school_portal.domain.violations import CHOICE_NEEDED, Finding, finding
from school_portal.domain.windows import Period, academic_year

_MOST_CHOICES = 5


def account(account: Account, level: TrainingLevel, on: date) -> Finding:
    """The account is not open on the day."""
    if account.opened_on is None:
        message = "学校尚未开户，请在“账户与权限”中申请开户。"
    elif account.opened_on > on:
        message = f"学校账户 {account.opened_on} 才开通，请在开通后申报。"
    else:
        message = f"学校账户已于 {account.stopped_on} 停用，请联系市职业技能鉴定中心恢复。"
    return finding("ACCOUNT", level, message)


def enrolment(status: Enrolment, level: TrainingLevel) -> Finding:
    """The student's 学籍 is not 在籍."""
    message = f"学籍状态为“{status.label}”，只有在籍学生可以申报，状态有误的请更新名册。"
    return finding("ENROLLED", level, message)


def study_mode(level: TrainingLevel) -> Finding:
    """Not full-time, where the policy requires it."""
    message = "学习形式为“非全日制”，只有全日制学生可以申报，学习形式有误的请更新名册。"
    return finding("ENROLLED", level, message, "full_time_required")


def graduating_year(student: Student, on: date) -> Finding:
    """The day is outside the graduating academic year."""
    first, last = academic_year(student.graduates_on)
    message = (
        f"预计 {student.graduates_on} 毕业，毕业学年为 {first} 至 {last}，{on} 不在其内，"
        "请在毕业学年内申报，毕业日期有误的请更新名册。"
    )
    return finding("GRADUATING-YEAR", student.training_level, message)


def level_cap(wanted: Level, level: TrainingLevel, policy: Policy) -> Finding | None:
    """The wanted level against the cap; with the policy off, the cap is the only level."""
    if wanted < level.cap:
        allowed = f"最高可申报{level.cap.label}"
    elif wanted > level.cap and not policy.lower_levels_allowed:
        allowed = f"只能申报{level.cap.label}"
    else:
        return None
    message = f"{level.label}学生{allowed}，不能申报{wanted.label}，请改报其他等级。"
    return finding("LEVEL-CAP", level, message)


def not_evaluated(student: Student, project: Project | None, on: date) -> Finding:
    """No approved line in force for the project, or for anything that the row leaves open."""
    wish = student.wish
    if project is not None:
        what = f"“{project.label}”的"
    elif wish.code or wish.occupation or wish.direction or wish.level:
        what = "与所填职业、工种和等级相符的"
    else:
        what = ""
    message = (
        f"专业“{student.specialty_name}”在 {on} 没有{what}有效评估结论，"
        "请先申请专业评估，或改报评估通过的项目。"
    )
    return finding("EVALUATED", student.training_level, message)


def not_permitted(project: Project, node: Node | None, level: TrainingLevel, on: date) -> Finding:
    """No permission in force; `node` is None for the qualification route."""
    if node is None:
        way = "职业资格鉴定申报权限，请联系市职业技能鉴定中心开通"
    else:
        way = f"“{node.label}”申报权限，请在“账户与权限”中申请"
    return finding("PERMITTED", level, f"学校在 {on} 没有“{project.label}”的{way}。")


def not_permitted_for_any(project: Project, level: TrainingLevel, on: date) -> Finding:
    """No permission of the skill-level route, whatever the type of body."""
    message = (
        f"学校在 {on} 没有“{project.label}”的职业技能等级认定申报权限，请在“账户与权限”中申请。"
    )
    return finding("PERMITTED", level, message)


def out_of_scope(project: Project, level: TrainingLevel, on: date) -> Finding:
    """No body carries the project in force."""
    message = f"在 {on} 没有备案有效的评价机构开展“{project.label}”，请改报其他职业或等级。"
    return finding("SCOPE", level, message)


def body_out_of_scope(
    body: Body | None, project: Project, level: TrainingLevel, on: date
) -> Finding:
    """The body that was named does not carry the project, or its filing is not in force."""
    if body is None:
        message = "所选评价机构未登记备案，请改选其他评价机构。"
    elif body.in_force(on):
        message = f"评价机构“{body.name}”的备案不含“{project.label}”，请改选其他评价机构或项目。"
    elif not body.filing.covers(on):
        message = (
            f"评价机构“{body.name}”的备案期为 {body.filing.label}，不含 {on}，请改选其他评价机构。"
        )
    else:
        since = f"自 {body.state_date} 起" if body.state_date else ""
        message = f"评价机构“{body.name}”的备案已{since}{body.state.label}，请改选其他评价机构。"
    return finding("SCOPE", level, message)


def no_cooperation(body: Body, level: TrainingLevel, on: date) -> Finding:
    """An enterprise's body without an agreement in force."""
    message = (
        f"学校与企业评价机构“{body.name}”在 {on} 没有有效的校企合作协议，请先登记协议或改选机构。"
    )
    return finding("COOPERATION", level, message)


def others_students(body: Body, level: TrainingLevel) -> Finding:
    """A school's body and another school's student."""
    message = f"院校评价机构“{body.name}”只评价本校学生，请改选其他评价机构。"
    return finding("OWN-STUDENTS", level, message)


def own_but_part_time(body: Body, level: TrainingLevel) -> Finding:
    """A school's body and its own student who is not full-time."""
    message = (
        f"院校评价机构“{body.name}”只评价全日制学生，学习形式为“非全日制”，请改选其他评价机构。"
    )
    return finding("OWN-STUDENTS", level, message)


def no_national_standard(body: Body, project: Project, level: TrainingLevel) -> Finding:
    """The project rests on an enterprise's own specification."""
    if body.type is BodyType.ENTERPRISE:
        message = (
            f"企业评价机构“{body.name}”的“{project.label}”以评价规范为依据，不对学生开放，"
            "请改选以国家职业标准为依据的项目。"
        )
        return finding("NATIONAL-STANDARD", level, message, "enterprise_specification_closed")
    message = (
        f"{body.type.label}“{body.name}”只能开展有国家职业标准的项目，"
        f"“{project.label}”以评价规范为依据，请改选其他评价机构或项目。"
    )
    return finding("NATIONAL-STANDARD", level, message)


def restricted(who: str, period: Period, level: TrainingLevel) -> Finding:
    """A recorded restriction covers the day; `who` is 学校, 该生 or the body."""
    message = f"{who}在 {period.label} 受到限制，请在限制期满后申报。"
    return finding("RESTRICTED", level, message)


def once_certified(project: Project, level: TrainingLevel) -> Finding:
    """The person holds a certificate for the project."""
    message = f"该生已取得“{project.label}”证书，不能重复申报，请改报其他职业或等级。"
    return finding("ONCE", level, message)


def once_open(project: Project, level: TrainingLevel) -> Finding:
    """Another school's open application holds the person for the project."""
    message = f"该生的“{project.label}”已在其他团体申报中，办结之前不能重复申报。"
    return finding("ONCE", level, message)


def choice_needed(what: str, names: Iterable[str], level: TrainingLevel) -> Finding:
    """Several would do and none was chosen; `what` is 项目 or 评价机构."""
    choices = list(names)
    shown = "、".join(f"“{name}”" for name in choices[:_MOST_CHOICES])
    more = "等" if len(choices) > _MOST_CHOICES else ""
    where = "请为专业选定一家，或在名册中写明" if what == "评价机构" else "请在名册中写明一个"
    message = f"可选的{what}有 {len(choices)} 个：{shown}{more}，{where}。"
    return finding(CHOICE_NEEDED, level, message)
