"""Whether everything that the portal leans on is in order, one finding each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import current_app
from redis.exceptions import ResponseError
from sqlalchemy.orm import Session

from school_portal import bell
from school_portal.domain.windows import TZ
from school_portal.embedded_redis import EmbeddedRedis, is_up
from school_portal.models import dialect
from school_portal.services import ca_state, clocks, crl_overrides, keys, stored_files
from school_portal.services.portal import Portal

# A clock before this is wrong for sure.
BUILT = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `message` is Chinese and says what to do where it is not well.

    A `warning` is well: the portal works, and somebody should look at it.
    """

    name: str
    well: bool
    message: str
    warning: bool = False


class Unwell(Exception):
    """Something is not in order; the text says what to do."""


class Doubtful(Unwell):
    """Something works, and is to be looked at."""


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
        "对外地址": _origin,
        "CA 证书": _trust,
    }
    for name, check in checks.items():
        try:
            yield Finding(name, True, check(session, portal))
        except Doubtful as doubtful:
            yield Finding(name, True, str(doubtful), warning=True)
        except Unwell as unwell:
            yield Finding(name, False, str(unwell))
        except Exception as error:
            session.rollback()
            yield Finding(name, False, f"{ADVICE[name]}（{type(error).__name__}）")


REFUSES_WRITES = (
    "有应答但不接受写入，任务不会开始，请检查 Redis 的内存上限、磁盘，以及是否为只读副本"
)
ADVICE = {
    "数据库": "无法连接，请检查 SCHOOL_PORTAL_DATABASE_URL 与数据库服务",
    "Redis": "没有应答，请检查 SCHOOL_PORTAL_REDIS_URL 与 Redis 服务",
    "存储": "无法写入或读回文件，请检查 SCHOOL_PORTAL_STORAGE_URL 与其权限",
    "密钥": "打不开数据库中的密钥，请运行 school-portal init，或核对 SCHOOL_PORTAL_ENCRYPTION_KEYS",
    "时钟": "无法与数据库对时",
    "CA 证书": "无法检查，请核对 SCHOOL_PORTAL_CA_BUNDLE 与 SCHOOL_PORTAL_CA_CRLS",
}


def _database(session: Session, portal: Portal) -> str:
    current = set(MigrationContext.configure(session.connection()).get_current_heads())
    known = set(ScriptDirectory(current_app.extensions["migrate"].directory).get_heads())
    if not current:
        raise Unwell("尚未初始化，请运行 school-portal init")
    if current != known:
        raise Unwell("结构与本版本不符，请备份后运行 school-portal init")
    if not dialect.takes_writes(session):
        raise Unwell("可以连接但只能读取，请检查 SCHOOL_PORTAL_DATABASE_URL 是否指向主库")
    return "可以连接，结构是最新的"


def _redis(session: Session, portal: Portal) -> str:
    embedded = None if portal.settings.redis_url else EmbeddedRedis(portal.settings.home)
    connection = current_app.extensions["bell"]
    if embedded and not is_up(embedded.url):
        embedded.start()
        embedded.stop()
        return "内置 Redis 可以启动，当前没有运行"
    try:
        bell.probe(connection)
    except ResponseError as error:
        raise Unwell(f"{REFUSES_WRITES}（{type(error).__name__}）") from error
    workers = "有任务进程在运行" if bell.worker_is_up(connection) else "当前没有任务进程"
    return f"可以写入，{workers}"


def _storage(session: Session, portal: Portal) -> str:
    portal.storage.probe()
    return "可以写入、读回、删除"


def _keys(session: Session, portal: Portal) -> str:
    portal.vault.index("person", "doctor")
    own = stored_files.known(session)  # the store may hold another portal's
    lacking = [one for one in keys.status(session, portal, own)["keys"] if not one["held"]]
    if lacking:
        told = "、".join(
            f"{one['id']}（数据 {one['cells']} 项，文件 {one['files']} 个）" for one in lacking
        )
        raise Unwell(f"密钥环中没有 {told}，这些内容打不开，请把旧密钥放回密钥环")
    return f"密钥环中有 {len(portal.ring.key_ids)} 把密钥，索引密钥可用"


def _clock(session: Session, portal: Portal) -> str:
    now = portal.clock()
    if now < BUILT:
        raise Unwell(f"系统时间 {now:%Y-%m-%d %H:%M} 早于本版本的发布，请校准")
    apart = abs(clocks.seconds_ahead(session, portal))
    if apart > clocks.TOLERATED_SECONDS:
        raise Unwell(f"与数据库相差 {apart:.0f} 秒，请校准两台机器的时间")
    return "与数据库一致"


def _origin(session: Session, portal: Portal) -> str:
    settings = portal.settings
    if settings.origin is None and not settings.is_sqlite:
        raise Doubtful("没有设置 SCHOOL_PORTAL_ORIGIN，链接和密钥签名依请求的主机名，请设置")
    return settings.origin or "没有设置 SCHOOL_PORTAL_ORIGIN，依请求的主机名"


def _trust(session: Session, portal: Portal) -> str:
    if portal.trust is None:
        return "没有启用密钥登录"
    now, trust = portal.clock(), portal.trust.read()
    roots = sum(one.is_self_issued for one in trust.bundle)
    told = f"根证书 {roots} 张，签发机构 {len(trust.bundle)} 个"
    if trust.crls is None:
        raise Doubtful(f"{told}，没有设置 SCHOOL_PORTAL_CA_CRLS，不检查证书是否已被吊销")
    if not trust.bundle or not trust.crls:
        raise Unwell("证书或吊销列表文件已损坏，没有人能用密钥登录，请换上完好的文件")
    found = ca_state.issuers(trust, now)
    ends = [one.crl.next_update for one in found if one.crl and one.crl.next_update]
    if ends:
        told += f"，吊销列表最早在 {min(ends).astimezone(TZ):%Y-%m-%d %H:%M} 到期"
    stale = sum(one.stale_crls for one in found)
    missing = sum(one.crl is None for one in found)
    if stale and not crl_overrides.in_force(session, now):
        raise Unwell(f"{told}，{stale} 份已过期，请换上新的，或由系统管理员在“CA 证书”页放行")
    if stale:
        raise Doubtful(f"{told}，{stale} 份已过期，放行期内仍然使用，请换上新的")
    if missing:
        raise Doubtful(f"{told}，{missing} 个机构没有吊销列表，它们直接签发的证书不能登录")
    return told
