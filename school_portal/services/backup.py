"""A backup beside a running portal: the database first, then the files.

In that order every row has its file, for a file is kept before its row is committed. A file that
came after the database is one without a row, which does no harm.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy.orm import Session

from school_portal.models import dialect
from school_portal.services.access import Refused
from school_portal.services.portal import Portal

DATABASE, FILES = "portal.db", "files"  # as they are called in a home


def take(session: Session, portal: Portal, folder: Path) -> tuple[bool, int]:
    """Whether the database is in it, else its own tool is to be asked, and how many files.

    Raises Refused where the folder holds a backup, or a home, already.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if any((folder / name).exists() for name in (DATABASE, FILES)):
        raise Refused(f"{folder} 中已有备份，请换一个目录。")
    copied = dialect.copy(session, folder / DATABASE)
    number = sum(1 for _ in _copy_files(portal, folder / FILES))
    os.sync()  # what was said to be kept is on the disk
    return copied, number


def _copy_files(portal: Portal, folder: Path) -> Iterator[str]:
    """As they are kept: encrypted."""
    folder.mkdir(mode=0o700)
    for name in portal.storage.names():
        path = folder / name
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            portal.storage.copy(name, path)
        except FileNotFoundError:  # removed since it was listed: its time was over
            continue
        yield name
