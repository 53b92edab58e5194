"""The form of every decision that needs its reasons."""

from __future__ import annotations

from collections.abc import Callable

from flask_wtf import FlaskForm
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from school_portal.extensions import db
from school_portal.services.access import Refused


def reason_field() -> TextAreaField:
    """Why: shown to whom it concerns, kept in the case's history."""
    return TextAreaField(
        "理由",
        [InputRequired("请写明理由。"), Length(max=1000, message="理由不超过 1000 个字。")],
        description="会告知对方，并留在办理记录中。请勿填写证件号码、手机号码等个人信息。",
        render_kw={"rows": 4},
    )


class ReasonForm(FlaskForm):
    """The form of every decision that asks for nothing but its reasons."""

    reason = reason_field()


def carried_out(form: FlaskForm, act: Callable[[], object]) -> bool:
    """Whether `act` was done and kept; a refusal stands on the form, with all that was typed."""
    try:
        act()
        db.session.commit()
    except Refused as refusal:
        db.session.rollback()
        form.form_errors.append(str(refusal))
        return False
    return True
