"""The forms of the settings."""

from __future__ import annotations

from typing import Any

from flask_wtf import FlaskForm
from flask_wtf.file import FileField
from wtforms import (
    DateField,
    IntegerField,
    PasswordField,
    SelectField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, EqualTo, InputRequired, Length

from school_portal.blueprints.office.forms import ChecksField
from school_portal.models import Role

# What an administrator may give; experts are the centre's to add.
ROLES = [
    SelectChoice(role.value, role.label)
    for role in (
        Role.TEACHING_OFFICE,
        Role.VOCATIONAL_DIVISION,
        Role.CENTRE,
        Role.BUREAU,
        Role.ADMIN,
    )
]
_NO_DATE = "请选择日期。"


class _Reason(TextAreaField):
    """Why something was set."""

    def __init__(self, **more: Any) -> None:
        super().__init__(
            "理由",
            [
                InputRequired("请写明理由。"),
                Length(max=500, message="理由不超过 500 个字。"),
            ],
            description="留在记录中，供以后查考。",
            render_kw={"rows": 3},
            **more,
        )


class SwitchForm(FlaskForm):
    """A policy setting that is on or off."""

    value = SelectField("新值", choices=[("是", "是"), ("否", "否")], validate_choice=False)
    reason = _Reason()


class NumberForm(FlaskForm):
    """A policy setting that is a number; the service knows its range."""

    value = StringField("新值", [InputRequired("请填写新值。")], render_kw={"inputmode": "numeric"})
    reason = _Reason()


class WindowForm(FlaskForm):
    """Days on which an office receives beyond April and October."""

    school = SelectField(
        "学校", coerce=int, description="为一所学校延期时选该校，其他学校不受影响。"
    )
    starts_on = DateField("开始日期", [InputRequired(_NO_DATE)], description="当日 0:00 起受理。")
    ends_on = DateField("截止日期", [InputRequired(_NO_DATE)], description="当日 24:00 止。")
    reason = _Reason()


class CrlOverrideForm(FlaskForm):
    """For how long CRLs past their dates count."""

    hours = IntegerField(
        "有效小时数", [InputRequired("请填写小时数。")], description="1 至 24 的整数。"
    )
    reason = _Reason()


class WorkdaysForm(FlaskForm):
    """A year's notice of holidays and make-up days: typed or as a file."""

    year = IntegerField("年份", [InputRequired("请填写四位年份。")])
    source = StringField(
        "依据的通知",
        [InputRequired("请写明通知的名称或文号。"), Length(max=200, message="不超过 200 个字。")],
        description="如：国务院办公厅关于2027年部分节假日安排的通知。",
    )
    days = TextAreaField(
        "放假与调休上班",
        description="一行一天，如“2027-01-01 放假”“2027-02-07 上班”；假期内的周六、周日也要写。",
        render_kw={"rows": 12},
    )
    file = FileField(
        "或上传 CSV 文件",
        description="两列：date 和 kind，kind 写 holiday 或 makeup；选了文件就不看上面的文字。",
        render_kw={"accept": ".csv,.txt"},
    )


class ProfileForm(FlaskForm):
    """Where one's notices are mailed."""

    email = StringField(
        "接收通知的邮箱",
        [Length(max=254, message="邮箱地址不超过 254 个字。")],
        description="留空则只在平台内通知。邮箱地址加密保存，只用来发送本人的通知。",
        render_kw={"type": "email", "autocomplete": "email"},
    )


class PasswordForm(FlaskForm):
    """One's own new password."""

    old = PasswordField(
        "原密码",
        [InputRequired("请填写原密码。"), Length(max=256, message="密码不超过 256 个字。")],
        render_kw={"autocomplete": "current-password"},
    )
    new = PasswordField(
        "新密码",
        [InputRequired("请填写新密码。")],
        description="8 至 256 个字，不能是常用密码或原密码，也不能由姓名、用户名、学校名称组成。",
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        "再填一次新密码",
        [EqualTo("new", "两次填写的新密码不一样，请重新填写。")],
        render_kw={"autocomplete": "new-password"},
    )


class ConfirmCodeForm(FlaskForm):
    """The first code of a new second factor."""

    code = StringField(
        "验证码",
        [InputRequired("请填写验证码。"), Length(max=10, message="验证码为 6 位数字。")],
        description="填写应用中现在显示的 6 位数字，以确认设置成功。",
        render_kw={"autocomplete": "one-time-code", "inputmode": "numeric"},
    )


class PasskeyForm(FlaskForm):
    """What the person calls a new passkey."""

    name = StringField(
        "名称",
        [DataRequired("请填写名称。"), Length(max=50, message="名称不超过 50 个字。")],
        description="便于自己辨认，如“办公室电脑”“手机”。",
        render_kw={"autocomplete": "off"},
    )


class InvitationForm(FlaskForm):
    """A new person, who sets name and password by a link."""

    username = StringField(
        "用户名",
        [InputRequired("请填写用户名。"), Length(max=64, message="用户名不超过 64 个字。")],
        description="2 至 64 个字母、数字或 . _ @ -，登录时使用，以后不能更改。",
        render_kw={"autocomplete": "off"},
    )
    school = SelectField("学校", coerce=int, description="学校操作人员只属于一所学校。")
    roles = ChecksField("角色", choices=ROLES, description="不属于学校的人员，至少一个。")


class RolesForm(FlaskForm):
    """A person's roles; a sign-in begins with the first."""

    roles = ChecksField("角色", choices=ROLES, description="更改后，此人须重新登录。")
