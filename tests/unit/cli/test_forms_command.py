"""`school-portal forms sample`."""

from __future__ import annotations

from pathlib import Path

import pytest

from school_portal.cli import main
from tests.unit.printing.reading import pages


def run(*arguments: str) -> object:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("annex-1", "职业技能评价专业评估申请表"),
        ("annex-2", "团体申报开户申请表（学校）"),
        ("opinion", "专家组评估意见表"),
    ],
)
def test_a_sample_is_written(
    name: str, title: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "out.pdf"
    assert run("forms", "sample", name, str(file)) == 0
    assert title in pages(file.read_bytes())[0]
    assert capsys.readouterr().out == f"已写入 {file}\n"


@pytest.mark.parametrize(
    ("name", "place", "status"),
    [("annex-3", "out.pdf", 2), ("annex-1", "missing/out.pdf", 1), ("annex-1", "", 2)],
)
def test_what_cannot_be_written_is_said_in_chinese(
    name: str, place: str, status: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("forms", "sample", name, str(tmp_path / place)) == status
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "错误：" in captured.err
    assert not list(tmp_path.iterdir())
