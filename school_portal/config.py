"""Settings, read once from the environment into one frozen object."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

from school_portal import private

PREFIX = "SCHOOL_PORTAL_"
KEY_ID_OID = "1.2.156.112570.11.205"
AGENT_PORT = 18765
KEY_AGENT = f"soft-key http://127.0.0.1:{AGENT_PORT}"
ROOT = Path(__file__).resolve().parent.parent
_SMTP_PORTS = {"smtp": 587, "smtps": 465}


class SettingsError(Exception):
    """A setting is missing or malformed; the text is one line in Chinese that names it."""


class SecretFile:
    """Secrets in the home folder, newest first; they may be changed while processes run."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def secrets(self) -> tuple[str, ...]:
        """Those in force now."""
        return _parts(self.path.read_text())

    def prepend(self, secret: bytes, keeping: int | None = None) -> None:
        """Puts a new one in front of the newest `keeping`, or of all, in base64.

        Whoever reads meanwhile reads the whole old file or the new.
        """
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)  # two rotations at once lose no key
            text = ",".join((b64encode(secret).decode(), *self.secrets()[:keeping]))
            private.write(self.path, text.encode(), replace=True)
        finally:
            os.close(folder)


class KeyFile(SecretFile):
    """The key ring's file, which knows whether it was changed."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self._seen: tuple[int, int] | None = None

    def read(self) -> tuple[bytes, ...]:
        """The keys, newest first. Raises SettingsError."""
        state = self.path.stat()
        self._seen = (state.st_ino, state.st_mtime_ns)
        return _encryption_keys(self.path.read_text())

    def changes(self) -> tuple[bytes, ...] | None:
        """The keys where the file is another than the one last read."""
        state = self.path.stat()
        return None if (state.st_ino, state.st_mtime_ns) == self._seen else self.read()


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in, and in whose name; `tls` from the first octet, else STARTTLS."""

    host: str
    port: int
    tls: bool
    username: str
    password: str = field(repr=False)
    sender: str


@dataclass(frozen=True, slots=True)
class KeyAgent:
    """What signs beside the browser: the name of its script in `static/key-agents`, and where."""

    name: str
    origin: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the environment decides; secrets stay out of its repr."""

    home: Path
    database_url: str = field(repr=False)
    redis_url: str | None = field(repr=False)
    storage_url: str
    given_session_keys: tuple[str, ...] = field(repr=False)  # by the environment
    encryption_keys: tuple[bytes, ...] = field(repr=False)
    key_file: KeyFile | None  # of the key ring, where the environment does not give it
    session_file: SecretFile | None  # of the session keys, likewise
    origin: str | None
    port: int
    mail: MailServer | None
    ca_bundle: Path | None  # without it nobody signs in with a key
    ca_crls: Path | None
    key_id_oid: str
    key_agent: KeyAgent

    @property
    def is_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")

    @property
    def session_keys(self) -> tuple[str, ...]:
        """What signs cookies and forms now, and after it what signed them before."""
        return self.session_file.secrets() if self.session_file else self.given_session_keys

    def reload_encryption_keys(self) -> tuple[bytes, ...] | None:
        """The key ring, where it was changed since it was last read."""
        return self.key_file.changes() if self.key_file else None


def read(environ: Mapping[str, str] = os.environ) -> Settings:
    """The settings in force. Raises SettingsError naming the first that is missing or malformed."""

    def setting(name: str) -> str | None:
        return environ.get(PREFIX + name) or None

    home = Path(setting("HOME") or "instance").absolute()
    private.folder(home)
    database_url = _database_url(setting("DATABASE_URL") or f"sqlite:///{home / 'portal.db'}")
    may_make = database_url.startswith("sqlite")
    keys, key_file = _key_ring(setting("ENCRYPTION_KEYS"), home, may_make)
    session_keys = _parts(setting("SECRET_KEY") or "")
    if not session_keys:
        _kept(home, "SECRET_KEY", may_make)
    return Settings(
        home=home,
        database_url=database_url,
        redis_url=setting("REDIS_URL"),
        storage_url=setting("STORAGE_URL") or (home / "files").as_uri(),
        given_session_keys=session_keys,
        encryption_keys=keys,
        key_file=key_file,
        session_file=None if session_keys else SecretFile(home / "secret_key"),
        origin=_origin(setting("ORIGIN")),
        port=_port(environ.get("PORT") or "8000"),
        mail=_mail(setting("SMTP_URL"), setting("MAIL_FROM")),
        ca_bundle=_path(setting("CA_BUNDLE")),
        ca_crls=_path(setting("CA_CRLS")),
        key_id_oid=_oid(setting("KEY_ID_OID") or KEY_ID_OID),
        key_agent=_key_agent(setting("KEY_AGENT") or KEY_AGENT),
    )


def has_database(environ: Mapping[str, str] = os.environ) -> bool:
    """Whether there is a database to ask; nothing is made in looking."""
    home = Path(environ.get(PREFIX + "HOME") or "instance")
    url = environ.get(PREFIX + "DATABASE_URL") or f"sqlite:///{home / 'portal.db'}"
    scheme, _, rest = url.partition("://")
    return scheme != "sqlite" or Path(rest.removeprefix("/")).exists()


def _database_url(url: str) -> str:
    scheme, separator, rest = url.partition("://")
    if separator and scheme in ("postgresql", "postgres"):
        return f"postgresql+psycopg://{rest}"
    if separator and scheme in ("sqlite", "postgresql+psycopg"):
        return url
    raise SettingsError(f"设置 {PREFIX}DATABASE_URL 须以 sqlite:// 或 postgresql:// 开头")


def _kept(home: Path, name: str, may_make: bool) -> None:
    """A secret kept in the home folder, for its owner alone; made where it is absent."""
    if not may_make:
        raise SettingsError(f"缺少设置 {PREFIX}{name}；使用 PostgreSQL 时必须提供")
    path = home / name.lower()
    private.close(path)
    if not path.exists():
        with suppress(FileExistsError):  # another process was first
            private.write(path, b64encode(secrets.token_bytes(32)))


def _key_ring(
    given: str | None, home: Path, may_make: bool
) -> tuple[tuple[bytes, ...], KeyFile | None]:
    """The key ring and, where the environment does not give it, the file that holds it."""
    if given:
        return _encryption_keys(given), None
    _kept(home, "ENCRYPTION_KEYS", may_make)
    key_file = KeyFile(home / "encryption_keys")
    return key_file.read(), key_file


def _parts(text: str) -> tuple[str, ...]:
    return tuple(part for part in map(str.strip, text.split(",")) if part)


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


def _origin(text: str | None) -> str | None:
    if text is not None and not re.fullmatch(r"https?://[^/?#@\s]+", text):
        raise SettingsError(f"设置 {PREFIX}ORIGIN 须为协议与主机，如 https://portal.example.cn")
    return text


def _mail(url: str | None, sender: str | None) -> MailServer | None:
    """The mail server; none where neither setting is given."""
    if not url and not sender:
        return None
    if not re.fullmatch(r"[^@\s<>]+@[^@\s<>]+", sender or ""):
        raise SettingsError(
            f"设置 {PREFIX}MAIL_FROM 须为发件邮箱地址，与 {PREFIX}SMTP_URL 一同填写"
        )
    parts = urlsplit(url or "")
    with suppress(ValueError):  # a port that is none
        if parts.scheme in _SMTP_PORTS and parts.hostname and parts.path in ("", "/"):
            return MailServer(
                host=parts.hostname,
                port=parts.port or _SMTP_PORTS[parts.scheme],
                tls=parts.scheme == "smtps",
                username=unquote(parts.username or ""),
                password=unquote(parts.password or ""),
                sender=sender or "",
            )
    raise SettingsError(
        f"设置 {PREFIX}SMTP_URL 须为 smtp:// 或 smtps:// 开头的邮件服务器地址，"
        "如 smtps://用户:密码@mail.example.cn:465"
    )


def _port(text: str) -> int:
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise SettingsError("设置 PORT 须为 1 至 65535 的整数")
    return int(text)


def _path(text: str | None) -> Path | None:
    return Path(text).absolute() if text else None


def _oid(text: str) -> str:
    if not re.fullmatch(r"[0-2](\.(0|[1-9][0-9]*))+", text):
        raise SettingsError(f"设置 {PREFIX}KEY_ID_OID 须为对象标识符，如 {KEY_ID_OID}")
    return text


def _key_agent(text: str) -> KeyAgent:
    name, _, origin = text.partition(" ")
    script = ROOT / "school_portal" / "static" / "key-agents" / f"{name}.js"
    if (
        re.fullmatch(r"[a-z0-9-]+", name)
        and re.fullmatch(r"(https?|wss?)://[A-Za-z0-9.-]+(:[0-9]{1,5})?", origin)
        and script.is_file()
    ):
        return KeyAgent(name, origin)
    raise SettingsError(
        f"设置 {PREFIX}KEY_AGENT 须为密钥程序的名称与地址，以空格分开，如 {KEY_AGENT}"
    )
