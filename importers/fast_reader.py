"""calamine, which reads xlsx and xls ten times as fast as openpyxl; its failures as refusals."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from importers.cells import Value
from importers.limits import Refused
from importers.sheets import Row


def opened(data: bytes) -> CalamineWorkbook:
    """The workbook; raises Refused."""
    with _parsing():
        return CalamineWorkbook.from_filelike(io.BytesIO(data))


def sheet_of(workbook: CalamineWorkbook, name: str) -> CalamineSheet:
    """The sheet of that name; raises Refused."""
    with _parsing():
        return workbook.get_sheet_by_name(name)


@contextmanager
def _parsing() -> Iterator[None]:
    """What calamine raises, as a refusal."""
    try:
        yield
    except PasswordError as error:
        raise Refused.because("file.encrypted") from error
    except (CalamineError, OSError, ValueError) as error:
        raise Refused.because("file.unreadable") from error
    except BaseException as error:
        # A panic of the Rust code is no Exception to Python, and its class has no public name.
        if type(error).__name__ != "PanicException":
            raise
        raise Refused.because("file.unreadable") from error


def rows_of(sheet: CalamineSheet) -> Iterator[Row]:
    """The sheet's rows from the first on."""
    start = sheet.start
    if start is None:
        return
    # Columns come from the first that is used.
    padding: list[Value] = [""] * start[1]
    rows: Iterator[list[Any]] = sheet.iter_rows()
    for number, values in enumerate(rows, 1):
        yield number, padding + values if padding else values
