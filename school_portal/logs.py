"""Structured logs: one JSON object a line, nothing personal in it."""

from __future__ import annotations

import logging
import sys
import traceback
from typing import Any, TextIO

import structlog

FRAMES = 8  # of a failure's place, the innermost


def described(error: BaseException) -> dict[str, Any]:
    """An exception's type and place; its text may hold a user's data."""
    frames = traceback.extract_tb(error.__traceback__)[-FRAMES:]
    return {
        "error": type(error).__name__,
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _without_text(
    _: object, __: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """What a library logs with an exception, without the exception's text."""
    told = event.pop("exc_info", None)
    if isinstance(told, tuple) and told[1] is not None:
        event.update(described(told[1]))
    return event


def configure(stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records through one JSON renderer.

    They go to standard error where no stream is given.
    """
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                _without_text,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    server = logging.getLogger("gunicorn.error")  # by itself it writes tracebacks, as plain text
    server.handlers.clear()
    server.propagate = True
    for talkative in ("alembic", "flask-limiter", "rq"):  # the second would write addresses
        logging.getLogger(talkative).setLevel(logging.WARNING)
