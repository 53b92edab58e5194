"""`school-portal`: the command line of the contract. Thin, like the pages: services do the work."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from school_portal.cli import words


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command; whatever goes wrong is one line in Chinese and an exit status."""
    words.speak_chinese()  # before click asks for its own words
    from school_portal.cli import failures  # noqa: PLC0415
    from school_portal.cli.root import school_portal  # noqa: PLC0415

    try:
        school_portal.main(arguments, prog_name="school-portal")
    except Exception as error:
        sys.exit(failures.tell(error))
