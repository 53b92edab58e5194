"""Whether everything that the portal stands on answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import sqlalchemy as sa
from redis import Redis

from school_portal.embedded_redis import EmbeddedRedis
from school_portal.extensions import db
from school_portal.models import dialect
from school_portal.services.portal import Portal

FARTHEST_CLOCK = 5.0  # seconds between the database's clock and ours


def examine(portal: Portal, redis: Redis) -> list[tuple[str, str | None]]:
    """Each part's name, and what is wrong with it or None."""
    parts: list[tuple[str, Callable[[], str | None]]] = [
        ("设置", lambda: None),
        ("数据库", _database),
        ("Redis", lambda: _redis(portal, redis)),
        ("文件存储", lambda: portal.storage.probe()),
        ("密钥", lambda: None if portal.vault else "没有索引密钥"),
        ("时钟", lambda: _clock(portal)),
    ]
    return [(name, _fault(check)) for name, check in parts]


def _fault(check: Callable[[], str | None]) -> str | None:
    """The texts of errors may hold addresses with passwords: only their type is told."""
    try:
        return check()
    except Exception as error:
        return f"没有应答或不可用（{type(error).__name__}）"


def _database() -> str | None:
    with db.engine.connect() as connection:
        tables = set(sa.inspect(connection).get_table_names())
    missing = set(db.metadata.tables) - tables
    return "尚未建立或需要升级，请运行 school-portal init" if missing else None


def _redis(portal: Portal, redis: Redis) -> str | None:
    """The server that is given; else the embedded one, started for the moment where it rests."""
    embedded = None if portal.settings.redis_url else EmbeddedRedis(portal.settings.home)
    try:
        if embedded:
            embedded.start()
        return None if redis.ping() else "没有应答"
    finally:
        if embedded:
            embedded.stop()


def _clock(portal: Portal) -> str | None:
    session = db.session()
    dialect.read_only(session)
    theirs = dialect.now(session)
    apart = abs((theirs - portal.clock()).total_seconds())
    wrong = datetime.now(UTC).year < 2026
    return "本机时钟与数据库相差过大或不正确" if wrong or apart > FARTHEST_CLOCK else None
