"""The offices' forms."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import (
    DateField,
    PasswordField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length, Optional
from wtforms.widgets import CheckboxInput, ListWidget

from school_portal.blueprints.decisions import reason_field


class ChecksField(SelectMultipleField):
    """Boxes to tick."""

    widget = ListWidget(prefix_label=False)
    option_widget = CheckboxInput()


class ReturnForm(FlaskForm):
    """What is to be corrected, why, and until when."""

    fields = ChecksField("表头内容")
    lines = ChecksField("申报项目", coerce=int)
    programmes = ChecksField("佐证材料", coerce=int)
    more = ChecksField("其他", choices=[SelectChoice("add_lines", "可以增加申报项目")])
    reason = reason_field()
    until = DateField("补正期限", [Optional()])


class EndForm(FlaskForm):
    """An evaluation's last day, and why."""

    ends_on = DateField(
        "失效日期",
        [InputRequired("请填写失效日期。")],
        description="当天 24:00 前仍然有效。",
    )
    reason = reason_field()


class ReplaceForm(FlaskForm):
    """Who takes a recused expert's place."""

    expert = SelectField("接替的专家", coerce=int)


class ProfileForm(FlaskForm):
    """What the pool knows of an expert."""

    employer = StringField(
        "工作单位",
        [InputRequired("请填写工作单位。"), Length(max=200, message="工作单位不超过 200 个字。")],
        description="填写全称。专家不评估所属单位，据此判断回避。",
    )
    employer_uscc = StringField(
        "工作单位统一社会信用代码",
        [Length(max=30, message="统一社会信用代码为 18 位。")],
        description="不清楚时可以不填；名称与申请学校相近的，填明代码后才能参加该校的专家组。",
    )
    fields = TextAreaField(
        "专业领域",
        [InputRequired("请至少填写一个职业。"), Length(max=2000, message="不超过 2000 个字。")],
        description="每行一个职业名称，与评价项目目录一致，如“调饮师”。",
        render_kw={"rows": 4},
    )


class NewExpertForm(ProfileForm):
    """A new expert of the pool, who signs in with the username."""

    name = StringField(
        "姓名", [InputRequired("请填写姓名。"), Length(max=50, message="姓名不超过 50 个字。")]
    )
    username = StringField(
        "用户名", [InputRequired("请填写用户名。")], render_kw={"autocomplete": "off"}
    )
    password = PasswordField(
        "初始密码",
        [InputRequired("请填写初始密码。")],
        description="8 至 256 个字，请另行告知专家本人。",
        render_kw={"autocomplete": "new-password"},
    )
