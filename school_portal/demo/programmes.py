"""A specialty's training programme, as a school would attach it: one invented sheet."""

from __future__ import annotations

import pylopdf_fonts_zh_cn
import typst

_SHEET = """
#set page("a4", margin: 25mm)
#set text(font: "Noto Serif SC", size: 12pt, lang: "zh")
#align(center, text(18pt)[#sys.inputs.specialty;专业人才培养方案（示例）])
#v(1em)
#set heading(numbering: "一、")
= 培养目标
面向相关职业岗位，培养德技并修的技术技能人才。
= 课程设置与学时
#table(
  columns: (1fr, auto, auto),
  table.header[课程][理论学时][实训学时],
  [职业道德与安全], [36], [0],
  [专业基础], [72], [36],
  [岗位技能实训], [36], [216],
)
= 与职业标准的对应
各课程覆盖国家职业标准的基本要求与相应等级的工作要求。
"""


def sheet(specialty: str) -> bytes:
    """The PDF; the same specialty gives the same."""
    return typst.compile(
        _SHEET.encode(),
        font_paths=typst.Fonts(font_paths=[pylopdf_fonts_zh_cn.serif_path().parent]),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"specialty": specialty},
    )
