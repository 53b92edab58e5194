"""What the log looks like."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from school_portal.logs import configure


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root, written = logging.getLogger(), io.StringIO()
    before, level = root.handlers[:], root.level
    configure(written)
    yield written
    root.handlers[:], root.level = before, level
    structlog.reset_defaults()


def test_a_line_is_json_and_has_no_exceptions_text(stream: io.StringIO) -> None:
    try:
        raise ValueError("310104200903140026")
    except ValueError:
        logging.getLogger("some.library").exception("it failed\n{forged}")
    structlog.get_logger().warning("request.refused", status=404)
    ours, theirs = sorted(
        (json.loads(line) for line in stream.getvalue().splitlines()),
        key=lambda one: one["level"],
        reverse=True,
    )
    assert theirs["error"] == "ValueError" and theirs["at"]
    assert theirs["event"] == "it failed\n{forged}"
    assert "310104" not in stream.getvalue()
    assert (ours["event"], ours["status"]) == ("request.refused", 404)
    assert ours["timestamp"].endswith("Z")


def test_what_the_web_server_says_of_a_failure_is_json_too(stream: io.StringIO) -> None:
    server = logging.getLogger("gunicorn.error")
    plain = io.StringIO()
    server.addHandler(logging.StreamHandler(plain))
    server.propagate = False  # as gunicorn sets it up before it loads the portal
    configure(stream)
    try:
        raise OSError("310104200903140026")
    except OSError:
        server.exception("Error handling request")
    (line,) = (json.loads(line) for line in stream.getvalue().splitlines())
    assert (line["event"], line["error"]) == ("Error handling request", "OSError")
    assert "310104" not in stream.getvalue() and plain.getvalue() == ""
