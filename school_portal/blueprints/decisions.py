"""The form of every decision that needs its reasons."""

from __future__ import annotations

from flask_wtf import FlaskForm
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length


class ReasonForm(FlaskForm):
    """Why: shown to whom it concerns, kept in the case's history."""

    reason = TextAreaField(
        "理由",
        [InputRequired("请写明理由。"), Length(max=1000, message="理由不超过 1000 个字。")],
        description="会告知对方，并留在办理记录中。请勿填写证件号码、手机号码等个人信息。",
        render_kw={"rows": 4},
    )
