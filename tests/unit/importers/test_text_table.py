"""Text tables as programs leave them: ends, starts, stray quotes, blank lines."""

from dataclasses import replace

import pytest

from importers.limits import LIMITS
from tests.files.rosters import student, table, text
from tests.unit.importers.reading import read, refusal

STUDENTS = table(student(1), student(2, 班级="二班"))
FIRST, SECOND = "20240001", "20240002"


def numbers(data: bytes) -> list[str]:
    outcome = read(data)
    assert outcome.issues == []
    return [row.student_no for row in outcome.rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize(
    "ending", [b"\x1a", b"\r\n\x1a\r\n", b"\0", b"\0" * 512, b"\x1a" + b"\0" * 127, b"\x1a" * 9]
)
def test_what_ends_or_fills_up_a_file_is_nobody(encoding: str, ending: bytes) -> None:
    assert numbers(text(STUDENTS, encoding) + ending) == [FIRST, SECOND]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_the_ends_of_a_marked_utf_16(encoding: str) -> None:
    padded = "\ufeff\ufeff" + text(STUDENTS).decode() + "\x1a" + "\0" * 20
    assert numbers(padded.encode(encoding)) == [FIRST, SECOND]


def test_an_unmarked_utf_16_is_named_as_such_whatever_ends_it() -> None:
    content = text(STUDENTS).decode()
    for encoding in ("utf-16-le", "utf-16-be"):
        assert refusal(content.encode(encoding)) == "file.encoding"


def test_padding_before_the_text() -> None:
    assert numbers(b"\0\0" + text(STUDENTS, "gb18030")) == [FIRST, SECOND]


def test_zeros_inside_are_no_text() -> None:
    assert refusal(text(STUDENTS).replace(b"20240002", b"2024\x000002")) == "file.unreadable"


def quoted(content: str) -> str:
    return "\n".join(",".join(f'"{cell}"' for cell in line.split(",")) for line in content.split())


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "utf-16"])
@pytest.mark.parametrize("marks", ["\ufeff", "\ufeff\ufeff", "\ufeff\ufeff\ufeff"])
def test_marks_at_the_start_however_many(encoding: str, marks: str) -> None:
    content = text(STUDENTS).decode()
    for written in (content, quoted(content)):
        assert numbers((marks + written).encode(encoding)) == [FIRST, SECOND]


def test_a_mark_where_files_were_joined() -> None:
    head, first, second = quoted(text(STUDENTS).decode()).splitlines()
    assert numbers(f"{head}\n{first}\n\ufeff{second}\n".encode()) == [FIRST, SECOND]


@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
@pytest.mark.parametrize("row", [2, 3, 40])
@pytest.mark.parametrize("name", ['"测试"甲', '"测试甲', '"测试""甲'])
def test_a_stray_quote_is_told_of_its_row(delimiter: str, row: int, name: str) -> None:
    cells = table(*(student(serial) for serial in range(1, 60)))
    lines = text(cells, delimiter=delimiter).decode().splitlines()
    lines[row - 1] = lines[row - 1].replace(f"示例{row - 1}", name)
    (one,) = read("\n".join(lines).encode()).issues
    assert (one.code, f"第 {row} 行" in one.message) == ("file.unreadable", True)


def test_a_stray_quote_in_the_header() -> None:
    (one,) = read(b'"' + text(STUDENTS)).issues
    assert (one.code, "第 1 行" in one.message) == ("file.unreadable", True)


def test_a_quote_inside_a_cell_is_read_as_it_stands() -> None:
    data = text(STUDENTS).replace("二班".encode(), '二"实验"班'.encode())
    (_, second) = read(data).rows
    assert second.class_name == '二"实验"班'


def test_blank_lines_do_not_count() -> None:
    head, first, second = text(STUDENTS).splitlines(keepends=True)
    blank = b"\r\n" * 9 + b",,,,\r\n" * 9 + " ,　\r\n".encode() * 9
    limits = replace(LIMITS, rows=3)
    for data in (head + blank + first + second, head + first + second + blank):
        assert len(read(data, limits=limits).rows) == 2
    assert refusal(head + first + second + first, replace(LIMITS, rows=3)) == "file.too-many-rows"


@pytest.mark.parametrize("content", [b"\xef\xbb\xbf", b"\x1a", b"\0\0\0", "\u200b\n".encode()])
def test_a_file_of_marks_alone_is_empty(content: bytes) -> None:
    assert refusal(content) == "file.unreadable"
