"""Settings, read once from the environment into one frozen object."""

from __future__ import annotations

import os
import secrets
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PREFIX = "SCHOOL_PORTAL_"
ROOT = Path(__file__).resolve().parent.parent


class SettingsError(Exception):
    """A setting is missing or malformed; the text is one line in Chinese that names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the environment decides; secrets stay out of its repr."""

    home: Path
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)
    storage_url: str
    secret_key: str = field(repr=False)
    encryption_keys: tuple[bytes, ...] = field(repr=False)
    origin: str | None
    port: int

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings in force. Raises SettingsError naming the first that is missing or malformed."""

    def setting(name: str) -> str | None:
        return environ.get(PREFIX + name) or None

    home = Path(setting("HOME") or "instance").absolute()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    database_url = _database_url(setting("DATABASE_URL") or f"sqlite:///{home / 'portal.db'}")
    may_make = database_url.startswith("sqlite")
    return Settings(
        home=home,
        database_url=database_url,
        redis_url=setting("REDIS_URL"),
        storage_url=setting("STORAGE_URL") or (home / "files").as_uri(),
        secret_key=setting("SECRET_KEY") or _kept(home, "SECRET_KEY", may_make),
        encryption_keys=_encryption_keys(
            setting("ENCRYPTION_KEYS") or _kept(home, "ENCRYPTION_KEYS", may_make)
        ),
        origin=setting("ORIGIN"),
        port=_port(environ.get("PORT") or "8000"),
    )


def _database_url(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if separator and scheme in ("postgresql", "postgres"):
        return f"postgresql+psycopg://{rest}"
    if separator and scheme in ("sqlite", "postgresql+psycopg"):
        return url
    raise SettingsError(f"设置 {PREFIX}DATABASE_URL 须以 sqlite:// 或 postgresql:// 开头")


def _kept(home: Path, name: str, may_make: bool) -> str:
    """A secret kept in the home folder, mode 0600; made where it is absent."""
    path = home / name.lower()
    if not path.exists():
        if not may_make:
            raise SettingsError(f"缺少设置 {PREFIX}{name}；使用 PostgreSQL 时必须提供")
        value = b64encode(secrets.token_bytes(32)).decode()
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:  # another process was first
            return path.read_text().strip()
        with os.fdopen(descriptor, "w") as file:
            file.write(value)
    return path.read_text().strip()


def _encryption_keys(text: str) -> tuple[bytes, ...]:
    try:
        keys = tuple(b64decode(part.strip(), validate=True) for part in text.split(","))
    except Base64Error:
        keys = ()
    if not keys or any(len(key) != 32 for key in keys):
        raise SettingsError(
            f"设置 {PREFIX}ENCRYPTION_KEYS 须为以逗号分隔的 base64 密钥，每个 32 字节"
        )
    return keys


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise SettingsError("设置 PORT 须为 1 至 65535 的整数")
    return int(text)
