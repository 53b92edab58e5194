"""Notices sent by e-mail, after the commit, to whoever has an address.

A notice is marked before it is handed to the mail server and the mark is committed: whatever
stops the worker then, nobody gets it twice. What was marked and has no end is shown as uncertain.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime

import sqlalchemy as sa
import structlog
from sqlalchemy.orm import Session, joinedload

from school_portal import jobs
from school_portal.config import MailServer
from school_portal.domain.windows import TZ
from school_portal.logs import described
from school_portal.models import Notice, User
from school_portal.security.cipher import Unreadable
from school_portal.services.portal import Portal

log = structlog.get_logger()

KIND = "mail-send"
TIMEOUT_SECONDS = 20
# How long after the notice each attempt may be made; when they are used up it is given up.
_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
ATTEMPTS = (timedelta(0), _MINUTE, 5 * _MINUTE, 30 * _MINUTE, 2 * _HOUR, 8 * _HOUR, 24 * _HOUR)
STALE = timedelta(days=3)  # older news is not sent when mail is set up later

UNCERTAIN = "mail.uncertain"
NO_ADDRESS = "mail.no-address"
UNMADE = "mail.unmade"
ERRORS = {
    UNCERTAIN: "发送中断，是否送达不明",
    NO_ADDRESS: "收件人没有邮箱地址，或已停用",
    "mail.recipient": "邮件服务器不接受收件地址",
    "mail.sign-in": "邮件服务器不接受用户名或密码",
    "mail.insecure": "邮件服务器不支持加密，没有发送密码",
    "mail.unreachable": "无法连接邮件服务器",
    "mail.refused": "邮件服务器拒收",
    UNMADE: "平台没能解密收件地址或写出邮件，请查看运行日志",
}
_FINAL = {NO_ADDRESS, "mail.recipient"}


class _Insecure(smtplib.SMTPException):
    """The server wants a password and offers no encryption."""


def enqueue(session: Session, portal: Portal) -> None:
    """Queue the sending."""
    jobs.enqueue(
        session,
        KIND,
        subject_id=None,
        school_id=None,
        options={},
        actor_id=None,
        now=portal.clock(),
    )


def is_waiting(session: Session, now: datetime) -> bool:
    """Whether there is something to send, and nobody is at it."""
    return bool(_waiting(session, now)) and not jobs.is_waiting(session, KIND)


def send(session: Session, portal: Portal) -> Iterator[int]:
    """Send what waits; the caller commits at every step, which counts the notices done.

    A server that cannot be reached ends the round: the next is tried later.
    """
    server = portal.settings.mail
    if server is None:
        return
    for done, notice_id in enumerate(_waiting(session, portal.clock()), start=1):
        if not _mark(session, notice_id, portal.clock()):
            continue
        yield done - 1
        notice = session.get_one(Notice, notice_id, populate_existing=True)
        error = _deliver(portal, server, notice)
        notice.mail_error = error
        if error is not None:
            notice.mailed_at = None
        if error in _FINAL:
            notice.mail_attempts = len(ATTEMPTS)
        yield done
        if error in ("mail.unreachable", "mail.sign-in", "mail.insecure"):
            return


def count(session: Session) -> int:
    """How many notices are in the log."""
    return session.scalar(sa.select(sa.func.count(Notice.id)).where(Notice.mail_wanted)) or 0


def listed(session: Session, *, limit: int, offset: int) -> Sequence[Notice]:
    """The notices that were to be mailed, the newest first, each with its person."""
    return session.scalars(
        sa.select(Notice)
        .where(Notice.mail_wanted)
        .options(joinedload(Notice.user).joinedload(User.school))
        .order_by(Notice.id.desc())
        .limit(limit)
        .offset(offset)
    ).all()


def is_stale(notice: Notice, now: datetime) -> bool:
    """Whether it was not sent while it was news, and will not be."""
    return notice.mailed_at is None and notice.at <= now - STALE


def _waiting(session: Session, now: datetime) -> Sequence[int]:
    """Whose turn it is, the oldest first."""
    at = Notice.at
    turn = [
        sa.and_(Notice.mail_attempts == attempts, at <= sa.literal(now - wait, at.type))
        for attempts, wait in enumerate(ATTEMPTS)
    ]
    return session.scalars(
        sa.select(Notice.id)
        .where(
            Notice.mail_wanted,
            Notice.mailed_at.is_(None),
            at > sa.literal(now - STALE, at.type),
            sa.or_(*turn),
        )
        .order_by(Notice.id)
    ).all()


def _mark(session: Session, notice_id: int, now: datetime) -> bool:
    """Take a notice to be sent now; whether it was still to be had."""
    taken = session.execute(
        sa.update(Notice)
        .where(Notice.id == notice_id, Notice.mailed_at.is_(None))
        .values(mailed_at=now, mail_attempts=Notice.mail_attempts + 1, mail_error=UNCERTAIN)
        .execution_options(synchronize_session=False)
    )
    return bool(taken.rowcount)  # type: ignore[attr-defined]


def _deliver(portal: Portal, server: MailServer, notice: Notice) -> str | None:
    """Hand one mail in; the error's code, which holds no address, or None."""
    user = notice.user
    if user.email_sealed is None or not user.active:
        return NO_ADDRESS
    try:
        address = portal.vault.unseal("users", "email", user.username.encode(), user.email_sealed)
        message = _message(portal, server, notice, address)
        with _connected(server) as client:
            client.send_message(message)
    except (smtplib.SMTPException, OSError) as error:
        return _code(error)
    except (Unreadable, ValueError) as error:  # no server's word: nothing has left, others may go
        log.error("mail.unmade", notice=notice.id, **described(error))
        return UNMADE
    return None


def _code(error: Exception) -> str:
    """What went wrong; smtplib's own errors are OSErrors too, and are asked first."""
    match error:
        case smtplib.SMTPRecipientsRefused(recipients=refused):
            permanent = next(iter(refused.values()))[0] >= 500
            return "mail.recipient" if permanent else "mail.refused"
        case _Insecure():
            return "mail.insecure"
        case smtplib.SMTPAuthenticationError():
            return "mail.sign-in"
        case smtplib.SMTPConnectError() | smtplib.SMTPServerDisconnected():
            return "mail.unreachable"
        case smtplib.SMTPException():
            return "mail.refused"
    return "mail.unreachable"


@contextmanager
def _connected(server: MailServer) -> Iterator[smtplib.SMTP]:
    """A session with the mail server, encrypted where it can be, always with a password."""
    context = ssl.create_default_context()
    client: smtplib.SMTP
    if server.tls:
        client = smtplib.SMTP_SSL(
            server.host, server.port, timeout=TIMEOUT_SECONDS, context=context
        )
    else:
        client = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_SECONDS)
    with client:
        encrypted = server.tls
        if not server.tls:
            client.ehlo()
            if encrypted := client.has_extn("starttls"):
                client.starttls(context=context)
        if server.username:
            if not encrypted:
                raise _Insecure
            client.login(server.username, server.password)
        yield client


def _message(portal: Portal, server: MailServer, notice: Notice, address: str) -> EmailMessage:
    message = EmailMessage()
    message["Subject"] = " ".join(notice.title.split())
    message["From"] = server.sender
    message["To"] = address
    message["Date"] = format_datetime(notice.at.astimezone(TZ))
    message["Message-ID"] = f"<notice-{notice.id}@{server.sender.partition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    place = portal.settings.origin or ""
    lines = [notice.title, "", notice.text, "", f"请登录平台办理：{place}{notice.path}"]
    lines.append("本邮件由平台自动发出，请勿回复。")
    message.set_content("\n".join(lines))
    return message
