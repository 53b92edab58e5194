"""Files and folders for their owner alone, and on the disk before anybody is told so."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

_OTHERS = 0o077
DRAFT_MARK = "#"  # with digits after it: what obstore, too, lists as no file


def folder(path: Path) -> Path:
    """The folder, made for its owner alone where it is absent; its name is on the disk."""
    if not path.is_dir():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        sync(path.parent)
    return path


def closed_folder(path: Path) -> Path:
    """As `folder`; one that is there is closed to others."""
    close(folder(path))
    return path


def close(path: Path) -> None:
    """Takes from others what they may do with the file or folder, where there is one of ours."""
    with suppress(FileNotFoundError, PermissionError):
        mode = path.stat().st_mode & 0o777
        if mode & _OTHERS:
            path.chmod(mode & ~_OTHERS)


def write(path: Path, content: bytes | bytearray, *, replace: bool = False) -> None:
    """The file, whole or not at all, on the disk with its name when this returns.

    Raises FileExistsError for one that is there, unless it is to be replaced.
    """
    draft = path.with_name(f"{path.name}{DRAFT_MARK}{secrets.randbits(63)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if replace:
            draft.replace(path)
        else:
            path.hardlink_to(draft)
    finally:
        draft.unlink(missing_ok=True)
    sync(path.parent)


def sync(path: Path) -> None:
    """Has the disk keep which files the folder holds."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
