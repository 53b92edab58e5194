"""Annex 2 as a form: a draft may be incomplete, what is wrong is told before it is handed in."""

from __future__ import annotations

from typing import Any, ClassVar

from flask_wtf import FlaskForm
from wtforms import DateField, SelectField, StringField, TextAreaField
from wtforms.validators import Length, Optional

from school_portal.domain.projects import Project
from school_portal.models import AccountOpening
from school_portal.services.account_openings import Entry
from school_portal.services.opening_check import NAMES, Personal


class Wanted:
    """Marks what annex 2 asks for; an empty one may still be saved."""

    field_flags: ClassVar[dict[str, Any]] = {"required": True}

    def __call__(self, form: object, field: object) -> None:
        """Nothing to refuse."""


def _text(label: str, longest: int, **more: Any) -> StringField:
    too_long = Length(max=longest, message=f"“{label}”不超过 {longest} 个字。")
    return StringField(label, [Wanted(), too_long], **more)


class OpeningForm(FlaskForm):
    """The fields of annex 2 in its order; the document's number is never sent back to the page."""

    legal_representative = _text("法人代表", 50)
    district = _text("所属区", 50)
    leader = _text("负责人（分管领导）", 50)
    leader_mobile = _text("负责人联系方式（手机）", 30, render_kw={"inputmode": "tel"})
    contact = _text("联系人", 50)
    contact_mobile = _text("联系人联系方式（手机）", 30, render_kw={"inputmode": "tel"})
    operator = _text(
        "平台操作人员姓名",
        50,
        description="用密钥登录的人。与本校一名操作人员同名的，密钥登录即进入该账户。",
    )
    operator_document = _text("平台操作人员身份证号", 50, render_kw={"autocomplete": "off"})
    key_id = _text(
        "对应的经办人 keyID",
        200,
        description="请填写“通过协卡助手——证书管理——签名证书——通用实体唯一标识号”下的完整字符。",
        render_kw={"autocomplete": "off", "spellcheck": "false"},
    )
    dual_certificate = SelectField("是否双证融通项目", choices=["否", "是"])
    opinion = TextAreaField(
        "申报单位意见", [Wanted(), Length(max=1000, message="“申报单位意见”不超过 1000 个字。")]
    )
    handler = _text("经办人", 50)
    handled_on = DateField("经办日期", [Wanted(), Optional()])

    @classmethod
    def of(cls, opening: AccountOpening, given: Personal) -> OpeningForm:
        """The form with what is kept."""
        kept = {name: getattr(opening, name) for name in NAMES}
        kept |= {name: getattr(given, name) for name in ("leader_mobile", "contact_mobile")}
        dual = "是" if opening.dual_certificate else "否"
        form = cls(**kept, key_id=given.key_id, dual_certificate=dual)
        if given.operator_document:
            shown = given.masked.operator_document
            form.operator_document.description = f"已填写 {shown}，不修改时请留空。"
        return form

    def entry(self, lines: list[Project]) -> Entry:
        """What was typed."""
        typed = {name: self[name].data or "" for name in NAMES if name != "handled_on"}
        return Entry(
            **typed,
            leader_mobile=self.leader_mobile.data or "",
            contact_mobile=self.contact_mobile.data or "",
            operator_document=self.operator_document.data or None,
            key_id=self.key_id.data or "",
            dual_certificate=self.dual_certificate.data == "是",
            handled_on=self.handled_on.data,
            lines=lines,
        )
