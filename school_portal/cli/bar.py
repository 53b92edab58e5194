"""The progress of a job on a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class _Rows(MofNCompleteColumn):
    """Rows done of all; nothing for a job that has none to count."""

    def render(self, task: Task) -> Text:
        return super().render(task) if task.completed or task.total else Text()


@contextmanager
def bar(label: str) -> Iterator[Callable[[int, int | None], None]]:
    """A bar on standard error; what is yielded is told of rows done and of all rows."""
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        _Rows(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    )
    with progress:
        task = progress.add_task(label, total=None)
        yield lambda done, total: progress.update(task, completed=done, total=total)
