"""From a form to its PDF, with typst; the same form gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from functools import cache
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pylopdf_fonts_zh_cn
import segno
import typst

from school_portal.domain.levels import Level
from school_portal.printing.forms import (
    AccountForm,
    EvaluationForm,
    Form,
    OpinionForm,
    PermissionNotice,
)

_TEMPLATES: Mapping[type[Form], str] = MappingProxyType(
    {
        EvaluationForm: "annex-1.typ",
        AccountForm: "annex-2.typ",
        OpinionForm: "opinion.typ",
        PermissionNotice: "permissions.typ",
    }
)


def render(form: Form) -> bytes:
    """The form as a PDF, A4. Its texts reach the template as data, never as markup."""
    folder = Path(__file__).parent
    content = asdict(form, dict_factory=_shown) | {"code": _code(form.verification_url)}
    return typst.compile(
        folder / _TEMPLATES[type(form)],
        root=folder,
        font_paths=_fonts(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"form": json.dumps(content)},
        timestamp=datetime.combine(form.issued, time(), UTC),
    )


@cache
def _fonts() -> typst.Fonts:
    """Noto Serif SC and Noto Sans SC alone: no form depends on the machine's fonts."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[pylopdf_fonts_zh_cn.serif_path().parent],
    )


def _shown(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: _text(value) for name, value in pairs}


def _text(value: Any) -> Any:
    """Days and levels as people read them; everything else as it is."""
    match value:
        case date():
            return f"{value.year} 年 {value.month} 月 {value.day} 日"
        case Level():
            return value.label
    return value


def _code(url: str) -> str:
    """The address as a QR code in SVG."""
    drawing = BytesIO()
    segno.make_qr(url, error="m").save(drawing, kind="svg", border=0, xmldecl=False)
    return drawing.getvalue().decode()
