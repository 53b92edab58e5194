"""The sign-in form."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import EqualTo, InputRequired, Length


class SignInForm(FlaskForm):
    """Name and password, and where the person was going."""

    username = StringField(
        "用户名",
        [InputRequired("请填写用户名。"), Length(max=64, message="用户名不超过 64 个字。")],
        render_kw={"autocomplete": "username"},
    )
    password = PasswordField(
        "密码",
        [InputRequired("请填写密码。"), Length(max=256, message="密码不超过 256 个字。")],
        render_kw={"autocomplete": "current-password"},
    )
    next = HiddenField()


class CodeForm(FlaskForm):
    """A code of the second factor, and where the person was going."""

    code = StringField(
        "验证码",
        [InputRequired("请填写验证码。"), Length(max=40, message="验证码不超过 40 个字。")],
        description="手机验证应用显示的 6 位数字，或者一个恢复码。",
        render_kw={"autocomplete": "one-time-code", "autofocus": True},
    )
    next = HiddenField()


class AcceptForm(FlaskForm):
    """The name and password of a person who was invited."""

    name = StringField(
        "姓名",
        [InputRequired("请填写姓名。"), Length(max=50, message="姓名不超过 50 个字。")],
        render_kw={"autocomplete": "name", "autofocus": True},
    )
    new = PasswordField(
        "密码",
        [InputRequired("请填写密码。")],
        description="8 至 256 个字，不能是常用密码，也不能由姓名、用户名、学校名称组成。",
        render_kw={"autocomplete": "new-password"},
    )
    again = PasswordField(
        "再填一次密码",
        [EqualTo("new", "两次填写的密码不一样，请重新填写。")],
        render_kw={"autocomplete": "new-password"},
    )
