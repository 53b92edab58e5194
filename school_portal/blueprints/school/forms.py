"""The upload form."""

from __future__ import annotations

from flask_wtf import FlaskForm
from flask_wtf.file import FileField, FileRequired
from wtforms import HiddenField, StringField
from wtforms.validators import Length


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
