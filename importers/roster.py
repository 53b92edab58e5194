"""A roster file as students and issues (rulebook 7.1; the contract's roster)."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from importers.cells import Value
from importers.limits import Limits, Refused
from importers.lookups import Context
from importers.roster_fields import HEADER_DEPTH, LISTS_SHEET, REQUIRED, Header, find_header
from importers.roster_rows import RowReader
from importers.row_draft import Draft
from importers.sheets import Book, Sheet
from importers.student_rows import StudentRows
from importers.workbook import FillDown, open_book
from school_portal.domain.labels import fold
from school_portal.domain.roster import RosterRow
from school_portal.domain.violations import Issue, issue

CHUNK_ROWS = 2000


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What was read: `rows` counts the students' rows, those in hidden rows too."""

    name: str
    sha256: str
    sheet: str | None = None
    header_row: int | None = None
    rows: int = 0
    ignored_columns: tuple[str, ...] = ()
    hidden_rows: int = 0
    hidden_sheets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """A row with errors; its texts are as typed, `person` the person's key where it is known."""

    row: int
    student_no: str
    name: str
    person: str | None = None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of the result. `done` of `total` rows under the header are read; the last has `facts`.

    `rows` are the accepted ones. A file issue (no row, an error) voids everything before it.
    """

    rows: list[RosterRow]
    issues: list[Issue]
    rejected: list[RejectedRow]
    done: int
    total: int | None
    facts: FileFacts | None = None


def read_book(data: bytes, context: Context, sheet: str | None, limits: Limits) -> Iterator[Chunk]:
    """Reads a roster in this process; the facts lack name and hash. Raises Refused."""
    book = open_book(data, limits)
    chosen, header = _choose(book, sheet)
    chosen.require_readable()
    yield from _Reading(book, chosen, _checked(header), context).chunks()


def _head(sheet: Sheet) -> Header | None:
    return find_header(sheet.top(HEADER_DEPTH + 1), sheet.survey.merged)


def _choose(book: Book, wanted: str | None) -> tuple[Sheet, Header | None]:
    if wanted is not None:
        sheet = _named(book, wanted)
        return sheet, _head(sheet)
    found = [(sheet, _head(sheet)) for sheet in book.sheets if not sheet.hidden]
    if not found:
        raise Refused.because("file.unreadable", "没有可见的工作表")
    rosters = [(sheet, head) for sheet, head in found if head and head.looks_like_a_roster]
    if len(rosters) > 1:
        # A blank template or a guide to its columns is none.
        rosters = [pair for pair in rosters if _has_students(*pair)] or rosters[:1]
    # A list of classes or marks may share some columns; what has all the required ones is meant.
    rosters = [(sheet, head) for sheet, head in rosters if not head.missing] or rosters
    if len(rosters) > 1:
        names = "、".join(f"“{sheet.name}”" for sheet, _ in rosters)
        raise Refused.because("file.several-sheets", names)
    if rosters:
        return rosters[0]
    return max(found, key=lambda pair: len(pair[1].columns) if pair[1] else 0)


def _has_students(sheet: Sheet, head: Header) -> bool:
    if sheet.survey.refusal:
        return True
    below = (row for row in sheet.rows() if row[0] > head.row)
    return StudentRows(head.columns).has_any(below)


def _named(book: Book, wanted: str) -> Sheet:
    for sheet in book.sheets:
        if sheet.name == wanted or fold(sheet.name) == fold(wanted):
            return sheet
    names = "、".join(f"“{sheet.name}”" for sheet in book.sheets if not sheet.hidden)
    message = f"文件中没有名为“{wanted}”的工作表，可选的有：{names}，请改选后重新读取。"
    raise Refused(Issue(None, None, "error", "file.several-sheets", message))


def _checked(header: Header | None) -> Header:
    missing = header.missing if header else REQUIRED
    faults = [f"缺少{'、'.join(missing)}"] if missing else []
    if header and header.repeated:
        faults.append(f"{'、'.join(header.repeated)}出现不止一次")
    if faults or header is None:
        raise Refused(issue("file.headers", detail="；".join(faults)))
    return header


@dataclass(slots=True)
class _Part:
    """What the next chunk will hold."""

    rows: list[RosterRow] = field(default_factory=list)
    issues: list[Issue] = field(default_factory=list)
    rejected: list[RejectedRow] = field(default_factory=list)


class _Reading:
    """One pass over the chosen sheet's rows."""

    def __init__(self, book: Book, sheet: Sheet, header: Header, context: Context) -> None:
        self._sheet = sheet
        self._header = header
        self._reader = RowReader(header.columns, context)
        self._hidden_sheets = tuple(
            other.name
            for other in book.sheets
            if other.hidden and other is not sheet and other.name != LISTS_SHEET
        )
        self._students = StudentRows(header.columns)
        # The first row of each 学号 and of each person.
        self._numbers: dict[str, int] = {}
        self._persons: dict[str, int] = {}
        self._hidden: list[int] = []
        self._rows = 0
        self._part = _Part()

    def chunks(self) -> Iterator[Chunk]:
        """The rows in parts, the file's facts with the last."""
        above = self._header.row
        total = max(0, self._sheet.height() - above)
        fill = FillDown(self._sheet.survey.merged).fill
        number = 0
        for number, values in self._sheet.rows():
            filled = fill(number, values)
            if number > above:
                for row in self._students.admit(number, values, filled):
                    self._read(*row)
            if number % CHUNK_ROWS == 0:
                yield self._flush(max(0, number - above), total)
        for row in self._students.rest():
            self._read(*row)
        yield self._flush(max(0, number - above), total, self._facts())

    def _flush(self, done: int, total: int, facts: FileFacts | None = None) -> Chunk:
        part, self._part = self._part, _Part()
        return Chunk(part.rows, part.issues, part.rejected, done, total, facts)

    def _read(self, number: int, values: list[Value]) -> None:
        self._rows += 1
        if number in self._sheet.survey.hidden_rows:
            self._hidden.append(number)
        draft, student = self._reader.read(number, values)
        repeats = self._repeats(number, draft)
        part = self._part
        part.issues += draft.issues(number)
        if student and not repeats:
            part.rows.append(student)
            return
        if repeats:
            part.issues.append(issue("row.duplicate", number, detail=repeats))
        texts = draft.texts
        part.rejected.append(RejectedRow(number, texts["学号"], texts["姓名"], draft.person))

    def _repeats(self, row: int, draft: Draft) -> str:
        """Which earlier rows hold the same person or 学号, a rejected one counting too."""
        student_no = fold(draft.texts["学号"]).casefold()
        same_number = self._numbers.setdefault(student_no, row) if student_no else row
        same_person = self._persons.setdefault(draft.person, row) if draft.person else row
        earlier: dict[int, list[str]] = {}
        for first, what in ((same_number, "学号"), (same_person, "同一人")):
            if first != row:
                earlier.setdefault(first, []).append(what)
        return "、".join(f"第 {first} 行（{'、'.join(what)}）" for first, what in earlier.items())

    def _facts(self) -> FileFacts:
        return FileFacts(
            name="",
            sha256="",
            sheet=self._sheet.name,
            header_row=self._header.row,
            rows=self._rows,
            ignored_columns=self._header.ignored,
            hidden_rows=len(self._hidden),
            hidden_sheets=self._hidden_sheets,
        )
