"""The process that reads: whatever becomes of it, there is an answer."""

import io
import sys
import textwrap
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import psutil
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importers import sandbox
from importers.limits import LIMITS, Refused
from importers.sandbox import ReaderLost, annotate, read_roster, read_sheets
from importers.wire import BROKEN
from school_portal.domain.violations import Issue
from tests.files import hostile, rosters
from tests.files.rosters import CONTEXT, student, table, xlsx
from tests.unit.importers.reading import Outcome, read, read_apart

MIB = 1 << 20


def test_the_same_result_as_in_this_process() -> None:
    data = xlsx(
        table(*(student(n, 手机号码="1" if n % 7 == 0 else f"138{n:08d}") for n in range(1, 2500)))
    )
    apart, here = read_apart(data, "甲.xlsx"), read(data)
    assert apart.rows == here.rows
    assert apart.issues == here.issues
    assert apart.rejected == here.rejected
    assert apart.facts is not None and here.facts is not None
    assert apart.facts == replace(here.facts, name="甲.xlsx", sha256=sha256(data).hexdigest())


def test_rows_come_in_chunks_with_progress() -> None:
    data = xlsx(table(*(student(n) for n in range(1, 2500))))
    chunks = list(read_roster(io.BytesIO(data), "甲.xlsx", CONTEXT))
    assert [chunk.done for chunk in chunks] == [0, 1999, 2499]
    assert [chunk.total for chunk in chunks] == [None, 2499, 2499]
    assert [chunk.facts is None for chunk in chunks] == [True, True, False]


def test_a_refused_file_keeps_its_name_and_hash() -> None:
    data = hostile.far_cell()
    outcome = read_apart(data, "远.xlsx")
    assert [one.code for one in outcome.issues] == ["file.unsafe"]
    assert outcome.facts is not None
    assert outcome.facts.name == "远.xlsx"
    assert outcome.facts.sha256 == sha256(data).hexdigest()


def test_a_file_beyond_the_limit_is_not_read_whole() -> None:
    class Endless(io.RawIOBase):
        given = 0

        def read(self, size: int = -1) -> bytes:
            assert 0 < size <= MIB + 1
            self.given += size
            return b"x" * size

    chunks = list(
        read_roster(Endless(), "大.csv", CONTEXT, limits=replace(LIMITS, file_bytes=MIB))  # type: ignore[arg-type]
    )
    assert [one.code for one in chunks[-1].issues] == ["file.too-large"]


def test_too_little_memory_is_an_issue() -> None:
    # Within the limits of rows and columns, and ten million cells once it is dense.
    rows = '<row r="1"><c r="A1"><v>1</v></c></row><row r="40000"><c r="IV40000"><v>1</v></c></row>'
    outcome = read_apart(hostile.with_rows(rows), limits=replace(LIMITS, memory_bytes=200 * MIB))
    assert [one.code for one in outcome.issues] == ["file.unsafe"]


def read_by(program: str, monkeypatch: pytest.MonkeyPatch) -> Outcome:
    """What becomes of a good file in the hands of this child."""
    monkeypatch.setattr(sandbox, "_COMMAND", (sys.executable, "-I", "-c", program))
    return read_apart(hostile.good_xlsx() * 20, limits=replace(LIMITS, silence_seconds=0.5))


@pytest.mark.parametrize(
    ("program", "code"),
    [
        ("import os; os.abort()", "file.unsafe"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGXCPU)", "file.unsafe"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "file.unreadable"),
        (f"raise SystemExit({BROKEN})", "file.unreadable"),
    ],
)
def test_what_the_file_did_to_the_child_is_told(
    program: str, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    outcome = read_by(program, monkeypatch)
    assert ([one.code for one in outcome.issues], outcome.rows) == ([code], [])


@pytest.mark.parametrize(
    "program",
    [
        "import os; os.kill(os.getpid(), 9)",
        "import os; os.kill(os.getpid(), 15)",
        "raise SystemExit(1)",
        "import nothing_of_that_name",
        "",
        "print('rubbish ' * 1000)",
        "import sys; sys.stdout.buffer.write(b'V\\0\\0\\0\\4junk')",
        "import sys; sys.stdin.read(); sys.stdout.buffer.write(b'V\\0')",
        "import sys; sys.stdout.buffer.write(b'V' * 65536)",
        "import os; os.write(1, b'V\\0'); os.kill(os.getpid(), 9)",
        "import sys; sys.stdin.close(); import threading; threading.Event().wait()",
        "import os, threading; os.close(1); threading.Event().wait()",
        "while True: pass",
    ],
)
def test_what_others_did_to_the_child_is_no_fault_of_the_file(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ReaderLost):
        read_by(program, monkeypatch)


def test_a_file_that_takes_too_much_time_is_told_so() -> None:
    rows = table(*(student(n) for n in range(1, 20_000)))
    outcome = read_apart(rosters.text(rows), limits=replace(LIMITS, cpu_seconds=0))
    assert [one.code for one in outcome.issues] == ["file.unsafe"]


def test_the_child_has_neither_environment_nor_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCHOOL_PORTAL_SECRET_KEY", "hidden")
    program = (
        "import os, struct, sys; sys.stdin.buffer.read();"
        "text = repr(sorted(os.environ)).encode();"
        "sys.stdout.buffer.write(struct.pack('>cI', b'V', len(text) + 2)"
        "+ bytes([0xc4, len(text)]) + text + struct.pack('>cI', b'E', 0))"
    )
    monkeypatch.setattr(sandbox, "_COMMAND", (sys.executable, "-I", "-c", program))
    assert b"SECRET" not in annotate(io.BytesIO(b"x"), ())


def acting(monkeypatch: pytest.MonkeyPatch, act: str) -> None:
    """The child as it is, with this in the place of what parses the file."""
    program = (
        f"import sys; sys.path.insert(0, {sandbox._ROOT!r})\n"
        "from importers import child\n"
        f"def act(task, data):\n{textwrap.indent(act, '    ')}\n"
        "child._perform = act\n"
        "child.main()"
    )
    monkeypatch.setattr(sandbox, "_COMMAND", (sys.executable, "-I", "-c", program))


def test_a_file_that_costs_too_much_time_ends_its_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    acting(monkeypatch, "while True: pass")
    outcome = read_apart(b"x", limits=replace(LIMITS, cpu_seconds=1, silence_seconds=30))
    assert [one.code for one in outcome.issues] == ["file.unsafe"]
    assert "读取所需资源超过上限" in outcome.issues[0].message


def test_the_reader_writes_nothing_to_the_disk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    acting(monkeypatch, f"open({str(tmp_path / 'left')!r}, 'wb', buffering=0).write(data)")
    with suppress(OSError):  # a write that fails is no fault of the file's
        assert read_apart(b"310104200903140010").rows == []
    assert b"".join(path.read_bytes() for path in tmp_path.iterdir()) == b""


def test_a_reader_that_dies_leaves_no_image_of_its_memory_and_opens_few_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    acting(
        monkeypatch,
        "import resource as r\n"
        "return iter([repr([r.getrlimit(k) for k in (r.RLIMIT_CORE, r.RLIMIT_NOFILE)]).encode()])",
    )
    assert annotate(io.BytesIO(b"x"), ()) == b"[(0, 0), (64, 64)]"


def test_a_reader_that_stops_early_leaves_no_process_behind() -> None:
    data = xlsx(table(*(student(n) for n in range(1, 2500))))
    others = psutil.Process().children()  # of other tests in this process
    chunks = read_roster(io.BytesIO(data), "甲.xlsx", CONTEXT)
    next(chunks)
    assert next(chunks).done == 1999
    chunks.close()  # type: ignore[attr-defined]
    assert {*psutil.Process().children()} <= {*others}


def test_what_the_source_raises_is_the_callers() -> None:
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise ConnectionError("storage")

    with pytest.raises(ConnectionError):
        next(read_roster(Broken(), "甲.xlsx", CONTEXT))


def test_sheets_as_text() -> None:
    data = xlsx(("学校", [["代码", "名称"], [], [20240001, "甲"]]), ("空", []))
    assert read_sheets(io.BytesIO(data)) == {
        "学校": [(1, ("代码", "名称")), (3, ("20240001", "甲"))],
        "空": [],
    }


def test_sheets_of_a_refused_file() -> None:
    found = read_sheets(io.BytesIO(hostile.far_cell()))
    assert isinstance(found, Issue) and found.code == "file.unsafe"


def test_corrections_of_a_refused_file() -> None:
    with pytest.raises(Refused):
        annotate(io.BytesIO(hostile.png()), ())


def _mutations() -> Iterator[bytes]:
    cells = table(student(1), student(2, 班级="一班"))
    yield from (rosters.xlsx(cells), rosters.xls(cells), rosters.ods(cells), rosters.text(cells))


GOOD = list(_mutations())


@settings(max_examples=120)
@given(st.data())
def test_damage_is_an_issue_and_never_an_exception(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(GOOD)))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content) - 1))
        content[at : at + data.draw(st.integers(0, 4))] = data.draw(st.binary(max_size=6))
    outcome = read(bytes(content[: data.draw(st.integers(0, len(content)))]))
    assert outcome.rows or outcome.issues or outcome.facts is not None


@settings(max_examples=60)
@given(st.data())
def test_damage_inside_the_parts_is_an_issue_too(data: st.DataObject) -> None:
    part = data.draw(st.sampled_from([hostile.SHEET, "xl/workbook.xml", "xl/styles.xml"]))

    def damage(name: str, content: bytes) -> bytes:
        if name != part:
            return content
        at = data.draw(st.integers(0, len(content)))
        end = at + data.draw(st.integers(0, 20))
        return content[:at] + data.draw(st.binary(max_size=10)) + content[end:]

    outcome = read(hostile.rezipped(GOOD[0], damage))
    assert outcome.rows or outcome.issues or outcome.facts is not None
