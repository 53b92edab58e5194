"""A school's forms."""

from __future__ import annotations

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, IntegerField, StringField, TextAreaField
from wtforms.validators import InputRequired, Length
from wtforms.widgets import HiddenInput

from school_portal.domain.specialty_evaluation import ANNEX_FIELDS


class UploadForm(FlaskForm):
    """A roster; the token makes a form sent twice one roster."""

    file = FileField(
        "名册文件",
        [FileRequired("请选择要上传的名册文件。")],
        description="xlsx、xls、ods 或 csv，不超过 50 MB。WPS 和 Excel 保存的都可以，文件名不限。",
        render_kw={"accept": ".xlsx,.xls,.ods,.csv,.et,.txt", "data-limit": 50 * 1024 * 1024},
    )
    sheet = StringField(
        "工作表名称",
        [Length(max=100, message="工作表名称不超过 100 个字。")],
        description="文件里有几张名册时填写要读取的一张；只有一张时不用填。",
    )
    token = HiddenField(validators=[Length(max=64)])


def _annex(name: str, most: int, **more: str) -> StringField:
    """A field of annex 1: a draft may leave it empty, and what is too long is told."""
    label = ANNEX_FIELDS[name]
    return StringField(
        label,
        [Length(max=most, message=f"{label}不超过 {most} 个字。")],
        render_kw={"maxlength": most},
        **more,
    )


class AnnexForm(FlaskForm):
    """The fields of annex 1; `version` is the one that was read."""

    version = IntegerField(widget=HiddenInput(), validators=[InputRequired()])
    legal_representative = _annex("legal_representative", 50)
    leader = _annex("leader", 50)
    leader_phone = _annex("leader_phone", 30, description="手机，或带区号的固定电话。")
    contact = _annex("contact", 50)
    contact_phone = _annex("contact_phone", 30, description="手机，或带区号的固定电话。")
    address = _annex("address", 200)
    school_opinion = TextAreaField(
        ANNEX_FIELDS["school_opinion"],
        [Length(max=1000, message="申请学校意见不超过 1000 个字。")],
        description="例如：同意申报。打印后加盖学校公章。",
        render_kw={"maxlength": 1000, "rows": 3},
    )
