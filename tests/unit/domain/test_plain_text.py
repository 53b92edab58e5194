import pytest

from school_portal.domain.plain_text import plain, plain_name


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("一行\n二行\r\n\t三", "一行\n二行\r\n\t三"),
        ("甲\x00乙\x0b丙\x1f\x7f\x85丁\ud800\ufffe\uffff", "甲乙丙丁"),
        ("\U00020bb7\ue000\ufffd", "\U00020bb7\ue000\ufffd"),
    ],
)
def test_what_no_keyboard_makes_falls_away(text: str, kept: str) -> None:
    assert plain(text) == kept


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("名册 2026.xlsx", "名册 2026.xlsx"),
        ("C:\\桌面\\名册.xlsx", "名册.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("名\r\nX: y\x00\u202e册\ud800.xlsx", "名X: y册.xlsx"),
        ("...", ""),
        (" . .xlsx", "xlsx"),
        ("", ""),
        ("长" * 300 + ".xlsx", "长" * 95 + ".xlsx"),
        ("长." + "尾" * 300, "长." + "尾" * 98),
    ],
)
def test_a_files_name(name: str, kept: str) -> None:
    assert plain_name(name) == kept
