"""What is neither a workbook nor a table is told by its name, and what to do about it."""

import pytest

from importers.limits import LIMITS
from tests.files import hostile, rosters
from tests.files.packages import STUDENTS
from tests.unit.importers.reading import read

ROSTER = rosters.text(STUDENTS).decode()
SHEET_2003 = (
    '<?xml version="1.0"?>\n<?mso-application progid="Excel.Sheet"?>\n'
    '<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"><Worksheet/></Workbook>'
)


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b'ID;PWXL;N;E\r\nP;PGeneral\r\nC;Y1;X1;K"\xd1\xa7"\r\nE\r\n', "SYLK"),
        (b'ID;PSCALC3\nC;X1;Y1;K"a"\nE\n', "SYLK"),
        (b'TABLE\r\n0,1\r\n"EXCEL"\r\nVECTORS\r\n0,2\r\n""\r\n', "DIF"),
        (b"MIME-Version: 1.0\r\nX-Document-Type: Workbook\r\n\r\n<html>", "MHTML"),
        (
            b"From: <Saved by Blink>\r\nSnapshot-Content-Location: x\r\nSubject: =?utf-8?Q?a?=\r\n"
            b"\tb\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n",
            "MHTML",
        ),
        (SHEET_2003.encode(), "XML 表格 2003"),
        (SHEET_2003.encode("utf-16"), "XML 表格 2003"),
        (b"<html xmlns:x='urn:schemas-microsoft-com:office:excel'><table/></html>", "HTML"),
        (b"\xef\xbb\xbf\r\n<TABLE><tr><td>1</td></tr></TABLE>", "HTML"),
        (b"<!DOCTYPE html><html></html>", "HTML"),
        (
            b'<?xml version="1.0"?><office:document xmlns:office="urn:oasis:names:tc:opendocument:'
            b'xmlns:office:1.0"/>',
            "OpenDocument",
        ),
        (b'<?xml version="1.0"?><rows/>', "XML"),
        (b'[{"name": "a"}]', "JSON"),
        (b"%PDF-1.7\n", "PDF"),
        (b"{\\rtf1\\ansi", "RTF"),
        (b"Rar!\x1a\x07\x00", "压缩包"),
        (b"\x1f\x8b\x08\x00", "压缩包"),
        (hostile.png(), "图片"),
        (b"\x09\x08\x08\x00\x00\x05\x05\x00" + bytes(8), "Excel 5.0"),
        (b"\x09\x04\x06\x00\x00\x00\x10\x00", "Excel 4.0"),
        (b"\x09\x00\x04\x00\x02\x00\x10\x00", "Excel 4.0"),
        (b" \r\n\t", "没有内容"),
    ],
)
def test_told_by_name(data: bytes, what: str) -> None:
    (one,) = read(data).issues
    assert one.code == "file.unreadable"
    assert what in one.message and "另存为 xlsx" in one.message


@pytest.mark.parametrize("head", ["ID;Phone\n", "ID;P\n", "TABLE\n", "MIME-Version\n", "PK,BM\n"])
def test_a_table_may_begin_like_one_of_them(head: str) -> None:
    outcome = read((head + ROSTER).encode())
    assert [one.student_no for one in outcome.rows] == ["20240001", "20240002"]


def test_blank_lines_count_for_numbers_alone() -> None:
    head, first, last = ROSTER.splitlines(keepends=True)
    blank = "\r\n" * 150_000 + ",,,,,\r\n" * 150_000
    wrong = last.replace("138", "1")
    outcome = read((head + first + blank + wrong).encode())
    assert [one.student_no for one in outcome.rows] == ["20240001"]
    assert outcome.places == [(300_003, "手机号码", "cell.mobile")]
    assert LIMITS.rows < 300_000
