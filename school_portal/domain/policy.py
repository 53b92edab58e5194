"""The project's own readings where no notice decides; each has a name on the settings page."""

from dataclasses import dataclass, fields
from dataclasses import field as dataclass_field
from typing import Any

from school_portal.domain.texts import trimmed

Setting = bool | int


def _setting(default: Setting, name: str, least: int = 0, most: int = 0) -> Any:
    """A setting with its Chinese name; a number has its least and greatest value."""
    return dataclass_field(default=default, metadata={"name": name, "range": (least, most)})


@dataclass(frozen=True, slots=True)
class Policy:
    """Every **policy** of rulebook 3 to 7 that a value decides."""

    full_time_required: bool = _setting(True, "仅限全日制学生申报")
    lower_levels_allowed: bool = _setting(True, "可申报低于上限的等级")
    enterprise_specification_closed: bool = _setting(True, "企业评价规范项目不对学生开放")
    once: bool = _setting(True, "同一人同一项目不重复申报")
    group_size: int = _setting(200, "每份团体申报人数上限", 1, 10_000)
    correction_workdays: int = _setting(10, "补正期限的工作日数", 1, 250)
    panel_size: int = _setting(3, "专家组最少人数", 3, 99)
    own_experts_excluded: bool = _setting(True, "专家不评估所属单位")
    permission_without_evaluation: bool = _setting(True, "没有评估结论也可开通权限")
    other_school_warning: int = _setting(
        20, "30 日内告知学生在其他学校登记多少次时提醒中心", 1, 100_000
    )
    other_school_limit: int = _setting(
        20_000, "30 日内最多告知学生在其他学校登记的次数", 1, 100_000
    )
    renewed_key_waits: bool = _setting(False, "更新的密钥须经中心核准")
    staff_second_factor: bool = _setting(False, "主管部门工作人员须启用第二重验证")
    idle_minutes: int = _setting(30, "无操作自动退出的分钟数", 5, 480)
    sign_in_hours: int = _setting(12, "一次登录最长的小时数", 1, 24)
    audit_months: int = _setting(60, "审计记录保存月数", 6, 600)
    roster_months: int = _setting(24, "名册文件保存月数", 1, 240)
    notice_months: int = _setting(24, "通知保存月数", 1, 240)

    def __post_init__(self) -> None:
        for setting in fields(self):
            least, most = setting.metadata["range"]
            if most and not least <= getattr(self, setting.name) <= most:
                raise ValueError(f"{setting.name} lies between {least} and {most}")


SETTINGS = {setting.name: setting for setting in fields(Policy)}
POLICY_NAMES = {name: setting.metadata["name"] for name, setting in SETTINGS.items()}


@dataclass(frozen=True, slots=True)
class FixedReading:
    """A **policy** of the rulebook that no value decides: what holds, and why it cannot be set."""

    name: str
    text: str
    why: str


def parse_setting(name: str, text: str) -> Setting:
    """A setting's value as typed: 是 or 否, or a whole number within its range.

    Raises KeyError for a name that is no setting's, ValueError, whose text is Chinese, for a
    value that does not fit.
    """
    setting, typed = SETTINGS[name], trimmed(text)
    title = setting.metadata["name"]
    if isinstance(setting.default, bool):
        if typed not in ("是", "否"):
            raise ValueError(f"“{title}”只能选“是”或“否”，请重新选择。")
        return typed == "是"
    least, most = setting.metadata["range"]
    if not (typed.isascii() and typed.isdecimal()) or not least <= int(typed[:9]) <= most:
        raise ValueError(f"“{title}”须为 {least} 至 {most} 的整数，请重新填写。")
    return int(typed)


def shown_setting(value: Setting) -> str:
    """A setting's value as people read it."""
    return str(value) if not isinstance(value, bool) else "是" if value else "否"


FIXED_READINGS = (
    FixedReading(
        "日期以上海时间计，一日到 24:00 止",
        "所有期限按 Asia/Shanghai 的日历日判断，最后一日的 23:59:59.999999 仍在期限内。",
        "各学校与各单位须用同一把尺，改动会使已受理的申请前后不一。",
    ),
    FixedReading(
        "网上提交即视为收到",
        "以服务器收到请求最后一个字节的时刻为准，受理和纸质材料可在其后。",
        "受理期由送达时刻判断，这是判断本身，没有可以调整的数值。",
    ),
    FixedReading(
        "受理期外可由受理单位增开或延长",
        "由受理单位写明起止日期、对象和理由，在“受理期”页面办理并留有记录。",
        "逐次决定，不是一个固定数值。",
    ),
    FixedReading(
        "公示期的发布当日不计入",
        "公示 5 个工作日从发布次日起算，到第 5 个工作日的 24:00 止。",
        "工作日推算在全平台只有一种算法。",
    ),
    FixedReading(
        "学年为 9 月 1 日至次年 8 月 31 日",
        "预计毕业日期所在的学年是毕业学年，只有月份的按该月最后一日计。",
        "中途改动会改变所有在校学生的毕业学年。",
    ),
    FixedReading(
        "换证申请不延长备案期",
        "备案到期后，即使换证申请尚在办理，也不再有效。",
        "备案期由备案文件写明，平台不能延长。",
    ),
    FixedReading(
        "不办理专项职业能力",
        "专项职业能力没有等级，不作为评价项目。",
        "团体申报的项目须有五级至一级中的一个等级。",
    ),
    FixedReading(
        "职业资格鉴定向中心申报",
        "由市职业技能鉴定中心开通权限并接收申报，不选评价机构。",
        "这是这条申报途径的流程，没有可以调整的数值。",
    ),
    FixedReading(
        "附件 2 所填职业和等级即为职业资格鉴定权限的申请",
        "开户申请批准后，由中心就所填职业和等级决定是否开通。",
        "附件 2 没有其他用途的职业和等级栏。",
    ),
    FixedReading(
        "评估结论没有默认的失效日期",
        "盖章生效后长期有效，直到被撤销，或到主管部门逐项写明的失效日期。",
        "失效日期由主管部门逐项决定。",
    ),
)
