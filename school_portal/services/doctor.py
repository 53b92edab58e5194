"""Whether everything that the portal leans on is in order, one finding each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from sqlalchemy.orm import Session

from school_portal import bell
from school_portal.embedded_redis import EmbeddedRedis, is_up
from school_portal.models import dialect
from school_portal.services.portal import Portal

# A clock before this is wrong for sure.
BUILT = datetime(2026, 11, 1, tzinfo=UTC)
TOLERATED_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `message` is Chinese and says what to do where it is not well."""

    name: str
    well: bool
    message: str


class Unwell(Exception):
    """Something is not in order; the text says what to do."""


def examine(session: Session, portal: Portal) -> Iterator[Finding]:
    """Settings were read already: whoever asks has an application."""
    settings = portal.settings
    kind = "SQLite" if settings.is_sqlite else "PostgreSQL"
    yield Finding("设置", True, f"数据目录 {settings.home}，数据库 {kind}")
    checks: dict[str, Callable[[Session, Portal], str]] = {
        "数据库": _database,
        "Redis": _redis,
        "存储": _storage,
        "密钥": _keys,
        "时钟": _clock,
    }
    for name, check in checks.items():
        try:
            yield Finding(name, True, check(session, portal))
        except Unwell as unwell:
            yield Finding(name, False, str(unwell))
        except Exception as error:
            session.rollback()
            yield Finding(name, False, f"{ADVICE[name]}（{type(error).__name__}）")


ADVICE = {
    "数据库": "无法连接，请检查 SCHOOL_PORTAL_DATABASE_URL 与数据库服务",
    "Redis": "没有应答，请检查 SCHOOL_PORTAL_REDIS_URL 与 Redis 服务",
    "存储": "无法写入或读回文件，请检查 SCHOOL_PORTAL_STORAGE_URL 与其权限",
    "密钥": "打不开数据库中的密钥，请运行 school-portal init，或核对 SCHOOL_PORTAL_ENCRYPTION_KEYS",
    "时钟": "无法与数据库对时",
}


def _database(session: Session, portal: Portal) -> str:
    current = set(MigrationContext.configure(session.connection()).get_current_heads())
    known = set(ScriptDirectory(current_app.extensions["migrate"].directory).get_heads())
    if not current:
        raise Unwell("尚未初始化，请运行 school-portal init")
    if current != known:
        raise Unwell("结构与本版本不符，请备份后运行 school-portal init")
    return "可以连接，结构是最新的"


def _redis(session: Session, portal: Portal) -> str:
    embedded = None if portal.settings.redis_url else EmbeddedRedis(portal.settings.home)
    connection = current_app.extensions["bell"]
    if embedded is None:
        connection.ping()
    elif not is_up(embedded.url):
        embedded.start()
        embedded.stop()
        return "内置 Redis 可以启动，当前没有运行"
    workers = "有任务进程在运行" if bell.worker_is_up(connection) else "当前没有任务进程"
    return f"有应答，{workers}"


def _storage(session: Session, portal: Portal) -> str:
    portal.storage.probe()
    return "可以写入、读回、删除"


def _keys(session: Session, portal: Portal) -> str:
    portal.vault.index("person", "doctor")
    return f"密钥环中有 {len(portal.ring.key_ids)} 把密钥，索引密钥可用"


def _clock(session: Session, portal: Portal) -> str:
    now = portal.clock()
    if now < BUILT:
        raise Unwell(f"系统时间 {now:%Y-%m-%d %H:%M} 早于本版本的发布，请校准")
    apart = abs((portal.clock() - dialect.now(session)).total_seconds())
    if apart > TOLERATED_SECONDS:
        raise Unwell(f"与数据库相差 {apart:.0f} 秒，请校准两台机器的时间")
    return "与数据库一致"
