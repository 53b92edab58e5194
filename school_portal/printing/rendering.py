"""From a form to its PDF, with typst; the same form gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import UTC, date, datetime, time
from functools import cache
from io import BytesIO
from pathlib import Path
from types import MappingProxyType
from typing import Any

import segno
import typst

from school_portal.domain.levels import Level
from school_portal.domain.texts import trimmed
from school_portal.printing.forms import (
    AccountForm,
    EvaluationForm,
    Form,
    OpinionForm,
    PermissionNotice,
)
from school_portal.printing.glyphs import FONT_FOLDERS, drawable, lacking

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
    content = asdict(form, dict_factory=_shown) | {
        "code": _code(form.verification_url),
        "lacking": "、".join(f"U+{ord(one):04X}" for one in sorted(lacking(_texts(asdict(form))))),
    }
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
    """Those of the packages alone: no form depends on the machine's fonts."""
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=list(FONT_FOLDERS),
    )


def _shown(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {name: _text(value) for name, value in pairs}


def _text(value: Any) -> Any:
    """Days and levels as people read them, texts as they can be drawn; the rest as it is."""
    match value:
        case date():
            return f"{value.year} 年 {value.month} 月 {value.day} 日"
        case Level():
            return value.label
        case str():
            return drawable(value)
    return value


def _texts(value: Any) -> Iterator[str]:
    """Every text in the form's fields."""
    match value:
        case str():
            yield trimmed(value)
        case dict():
            for one in value.values():
                yield from _texts(one)
        case tuple():
            for one in value:
                yield from _texts(one)


def _code(url: str) -> str:
    """The address as a QR code in SVG."""
    drawing = BytesIO()
    segno.make_qr(url, error="m").save(drawing, kind="svg", border=0, xmldecl=False)
    return drawing.getvalue().decode()
