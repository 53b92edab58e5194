"""What an address or a form asks for: read whole, or refused; what is ignored looks done."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from flask import abort, request

from school_portal.domain.texts import trimmed

T = TypeVar("T")


def narrowed_by(name: str, read: Callable[[str], T]) -> T | None:
    """By what the address narrows, as `read` reads it; None where it names nothing.

    Ends the request with 400 where that is nothing `read` knows: the whole list would look like
    the part that was asked for.
    """
    text = trimmed(request.args.get(name, ""))
    return _read(text, read) if text else None


def all_named(name: str, read: Callable[[str], T]) -> list[T]:
    """All that address or form name so; ends the request with 400 where one cannot be read."""
    return [_read(text, read) for text in request.values.getlist(name)]


def one_of(*known: str) -> Callable[[str], str]:
    """Reads one of these words."""

    def read(text: str) -> str:
        if text not in known:
            raise ValueError("no such choice")
        return text

    return read


def _read(text: str, read: Callable[[str], T]) -> T:
    try:
        return read(text)
    except ValueError:
        abort(400)
