"""Pages of a list, by the number in the address."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

SIZE = 25
MOST_PRINTED = 10_000  # rows on one page for print: more is for a filter or a download


@dataclass(frozen=True, slots=True)
class Page:
    """Where a list stands: `number` from 1, `total` items."""

    number: int
    total: int
    size: int = SIZE

    @property
    def pages(self) -> int:
        return max(1, -(-self.total // self.size))

    @property
    def offset(self) -> int:
        return (self.number - 1) * self.size

    @property
    def first(self) -> int:
        return self.offset + 1

    @property
    def last(self) -> int:
        return min(self.total, self.offset + self.size)

    @property
    def may_be_printed(self) -> bool:
        """Whether all of it can stand on one page."""
        return self.total <= MOST_PRINTED


def for_print() -> bool:
    """Whether the address asks for the whole list, to be printed."""
    return request.args.get("print") == "all"


def page_of(total: int, size: int = SIZE) -> Page:
    """The page that the address asks for, or the nearest there is; for print the whole list."""
    whole = Page(1, total, max(total, size))
    if for_print() and whole.may_be_printed:
        return whole
    asked = request.args.get("page", 1, type=int)
    last = Page(1, total, size).pages
    return Page(min(max(asked, 1), last), total, size)
