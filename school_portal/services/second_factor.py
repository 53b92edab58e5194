"""The second factor: codes of an authenticator (RFC 6238), and recovery codes for its loss."""

from __future__ import annotations

import secrets
from datetime import datetime
from hashlib import sha256
from hmac import compare_digest

import pyotp
import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.models import RecoveryCode, SignIn, User
from school_portal.security import audit, passwords
from school_portal.services import accounts, lockouts, policies, sign_ins
from school_portal.services.access import Actor, Refused, hold
from school_portal.services.lockouts import Attempt
from school_portal.services.portal import Portal
from school_portal.services.sign_ins import Opened

STEP = 30  # seconds that a code holds
RECOVERY_CODES = 10


def start(session: Session, portal: Portal, user: User) -> None:
    """A new secret, not in force until a code of it is confirmed. Raises access.Refused."""
    hold(session, user)
    if user.has_second_factor:
        raise Refused("已经启用第二重验证，如需换用另一台设备，请先停用。")
    user.totp_sealed = portal.vault.seal("users", "totp", _place(user), pyotp.random_base32())


def address(portal: Portal, user: User, issuer: str) -> tuple[str, str] | None:
    """The secret not confirmed yet, as it is typed and as it is scanned; None without one."""
    if user.totp_sealed is None or user.has_second_factor:
        return None
    totp = _totp(portal, user)
    return totp.secret, totp.provisioning_uri(name=user.username, issuer_name=issuer)


def confirm(session: Session, portal: Portal, user: User, code: str) -> list[str]:
    """Put the secret in force; the recovery codes, to be shown once. Raises access.Refused."""
    hold(session, user)
    if user.totp_sealed is None or user.has_second_factor:
        raise Refused("没有等待确认的设置，请重新打开“第二重验证”页面。")
    if not _uses_code(portal, user, code):
        raise Refused("验证码不对，请核对手机时间，填写应用中现在显示的 6 位数字。")
    audit.record(session, f"user:{user.id}", "second-factor.on", _subject(user), at=portal.clock())
    return _new_codes(session, user)


def renew_codes(session: Session, portal: Portal, user: User) -> list[str]:
    """New recovery codes in place of all old ones. Raises access.Refused."""
    hold(session, user)
    if not user.has_second_factor:
        raise Refused("还没有启用第二重验证。")
    audit.record(
        session, f"user:{user.id}", "second-factor.codes", _subject(user), at=portal.clock()
    )
    return _new_codes(session, user)


def remove(session: Session, actor: Actor, user: User, now: datetime) -> None:
    """Without a second factor from now on: one's own, or anybody's by an administrator.

    Raises access.Refused, for one's own where the policy asks for it.
    """
    if actor.user_id != user.id:
        accounts.check_admin(actor)
    elif user.is_staff and policies.current(session).staff_second_factor:
        raise Refused("规则设置要求主管部门工作人员启用第二重验证，不能停用。")
    hold(session, user)
    user.totp_sealed = user.totp_step = None
    session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    audit.record(session, actor.label, "second-factor.off", _subject(user), at=now)


def codes_left(session: Session, user: User) -> int:
    counted = sa.select(sa.func.count()).where(RecoveryCode.user_id == user.id)
    return session.scalar(counted) or 0


def fits(session: Session, portal: Portal, user: User, code: str) -> bool:
    """Whether that is a code not used yet, of the authenticator or for recovery; uses it up."""
    hold(session, user)
    if not user.has_second_factor:
        return False
    if _uses_code(portal, user, code):
        return True
    used = session.execute(
        sa.delete(RecoveryCode).where(
            RecoveryCode.user_id == user.id, RecoveryCode.code_hash == _hash(user, code)
        )
    ).rowcount  # type: ignore[attr-defined]
    if used:
        audit.record(
            session, f"user:{user.id}", "second-factor.recover", _subject(user), at=portal.clock()
        )
    return bool(used)


def complete(
    session: Session, portal: Portal, awaited: SignIn, code: str, address: str | None
) -> Opened | None:
    """The sign-in that awaited a code, in force under a new token, or None.

    The caller commits either way. Raises lockouts.Locked.
    """
    user, now = awaited.user, portal.clock()
    attempt = Attempt(user.username, address)
    lockouts.begin(session, portal, attempt)
    if not fits(session, portal, user, code):
        audit.record(session, "anonymous", "sign-in.refuse", _subject(user), at=now)
        return None
    lockouts.succeed(session, portal, attempt)
    session.delete(awaited)
    return sign_ins.begin(session, user, now)


def prove(
    session: Session, portal: Portal, sign_in_id: int, secret: str, address: str | None
) -> bool:
    """Whether that is the password of whose sign-in it is, or a code; notes that they showed it.

    The caller commits either way. Raises lockouts.Locked.
    """
    found = session.get_one(SignIn, sign_in_id)
    attempt = Attempt(found.user.username, address)
    lockouts.begin(session, portal, attempt)
    user = found.user
    if not passwords.fits(secret, user.password_hash) and not fits(session, portal, user, secret):
        audit.record(session, "anonymous", "sign-in.refuse", _subject(user), at=portal.clock())
        return False
    lockouts.succeed(session, portal, attempt)
    found.proved_at = portal.clock()
    return True


def _uses_code(portal: Portal, user: User, code: str) -> bool:
    """A code of this step or a neighbour's, of none up to the last one used."""
    code = "".join(code.split())
    totp, now = _totp(portal, user), int(portal.clock().timestamp()) // STEP
    for step in (now - 1, now, now + 1):
        fresh = user.totp_step is None or step > user.totp_step
        if fresh and compare_digest(totp.generate_otp(step).encode(), code.encode()):
            user.totp_step = step
            return True
    return False


def _new_codes(session: Session, user: User) -> list[str]:
    session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    made = ["-".join(secrets.token_hex(2) for _ in range(4)) for _ in range(RECOVERY_CODES)]
    session.add_all(RecoveryCode(user_id=user.id, code_hash=_hash(user, code)) for code in made)
    return made


def _hash(user: User, code: str) -> bytes:
    """64 random bits need no slow hash; the person's id keeps equal codes apart."""
    plain = "".join(code.split()).replace("-", "").lower()
    return sha256(f"{user.id}\n{plain}".encode()).digest()


def _totp(portal: Portal, user: User) -> pyotp.TOTP:
    sealed = user.totp_sealed or b""
    return pyotp.TOTP(portal.vault.unseal("users", "totp", _place(user), sealed), interval=STEP)


def _place(user: User) -> bytes:
    return user.username.encode()


def _subject(user: User) -> str:
    return f"user:{user.id}"
