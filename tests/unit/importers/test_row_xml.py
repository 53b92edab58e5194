"""Rows written as XML come back as they were."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook

from importers.cells import Unusable, Value, text_of
from importers.row_xml import RowXml
from importers.written import stream_sheet, to_bytes


def written(*rows: tuple[int, list[tuple[int, Value, int]]]) -> Any:
    """The sheet that these rows make."""
    workbook, content = Workbook(write_only=True), RowXml()
    title = stream_sheet(workbook, "名册").title
    for number, cells in rows:
        content.add(number, cells)
    return load_workbook(io.BytesIO(to_bytes(workbook, {title: content.content()}))).worksheets[0]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a & b < c > d \"e\" 'f' ]]>", "a & b < c > d \"e\" 'f' ]]>"),
        ("两行\r\n与\t制表", "两行\r\n与\t制表"),
        ("=1+1", "=1+1"),
        ("\x00\x1f𠮷\f甲", "\ufffd\ufffd𠮷\ufffd甲"),
        (True, True),
        (10**20, 10**20),
        (0.1, 0.1),
        (float("inf"), "inf"),
        (Unusable("#N/A"), "#N/A"),
        (Unusable(), None),
        ("", None),
        (date(2027, 6, 30), "2027-06-30"),
    ],
)
def test_a_value_comes_back(value: Value, expected: object) -> None:
    cell = written((1, [(1, value, 0)]))["A1"]
    assert (cell.value, type(cell.value)) == (expected, type(expected))
    assert cell.data_type != "f"


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Co"], max_codepoint=0xFFEF)))
def test_any_text_comes_back_trimmed(text: str) -> None:
    assert written((1, [(1, text, 0)]))["A1"].value == (text_of(text) or None)


@given(st.text())
def test_any_text_makes_a_workbook(text: str) -> None:
    assert written((1, [(1, text, 0), (2, "末", 0)]))["B1"].value == "末"


def test_rows_and_columns_keep_their_numbers() -> None:
    sheet = written((2, [(1, "甲", 0), (28, "乙", 0)]), (5, [(3, "丙", 0)]))
    found = {cell.coordinate: cell.value for row in sheet for cell in row if cell.value}
    assert found == {"A2": "甲", "AB2": "乙", "C5": "丙"}
