"""The page that asks why a whole number is to be seen, and shows it once."""

from __future__ import annotations

from collections.abc import Callable

from flask import render_template
from flask_wtf import FlaskForm
from wtforms import TextAreaField
from wtforms.validators import InputRequired, Length

from school_portal.blueprints.decisions import carried_out


class WhyForm(FlaskForm):
    """Why somebody's data is read, given out or changed."""

    reason = TextAreaField(
        "理由",
        [InputRequired("请写明理由。"), Length(max=500, message="理由不超过 500 个字。")],
        description="留在记录中，供审计查考。请勿填写证件号码、手机号码等个人信息。",
        render_kw={"rows": 2},
    )


def ask(action: str, name: str, what: str, back: str) -> str:
    """The form. `name` is whose number, `what` which, `back` where the reader came from."""
    return _page(WhyForm(), action, name, what, back)


def answer(
    action: str, name: str, what: str, back: str, read: Callable[[str], str]
) -> str | tuple[str, int]:
    """The number, once the reading is on record; without a reason, the form again."""
    form, found = WhyForm(), []
    if form.validate() and carried_out(form, lambda: found.append(read(form.reason.data or ""))):
        return _page(form, action, name, what, back, found[0])
    return _page(form, action, name, what, back), 422


def _page(
    form: WhyForm, action: str, name: str, what: str, back: str, number: str | None = None
) -> str:
    return render_template(
        "personal/reveal.html",
        form=form,
        action=action,
        name=name,
        what=what,
        back=back,
        number=number,
    )
