"""Pages of a list, by the number in the address."""

from __future__ import annotations

from dataclasses import dataclass

from flask import request

SIZE = 25


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


def page_of(total: int, size: int = SIZE) -> Page:
    """The page that the address asks for, or the nearest there is."""
    asked = request.args.get("page", 1, type=int)
    last = Page(1, total, size).pages
    return Page(min(max(asked, 1), last), total, size)
