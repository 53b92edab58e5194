"""The second factor: codes of an application (RFC 6238) or a passkey, and recovery codes.

Setting one up or removing one ends the person's other sign-ins (ASVS 7.4.3).
"""

from __future__ import annotations

import secrets
from hashlib import sha256
from hmac import compare_digest

import pyotp
import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.models import Passkey, RecoveryCode, SignIn, User
from school_portal.security import audit, passwords
from school_portal.services import accounts, lockouts, passkeys, policies, sign_ins
from school_portal.services.access import Actor, NotFound, Refused, hold
from school_portal.services.challenges import Visit
from school_portal.services.lockouts import Attempt
from school_portal.services.passkeys import Answer
from school_portal.services.portal import Portal
from school_portal.services.sign_ins import Opened

STEP = 30  # seconds that a code holds
RECOVERY_CODES = 10
CODE_GROUPS = 7  # of 16 bits


def start(session: Session, portal: Portal, user: User) -> None:
    """A new secret, not in force until a code of it is confirmed. Raises access.Refused."""
    hold(session, user)
    if user.has_totp:
        raise Refused("已经启用验证应用，如需换用另一台设备，请先停用。")
    user.totp_sealed = portal.vault.seal("users", "totp", _place(user), pyotp.random_base32())


def address(portal: Portal, user: User, issuer: str) -> tuple[str, str] | None:
    """The secret not confirmed yet, as it is typed and as it is scanned; None without one."""
    if user.totp_sealed is None or user.has_totp:
        return None
    totp = _totp(portal, user)
    return totp.secret, totp.provisioning_uri(name=user.username, issuer_name=issuer)


def confirm(session: Session, portal: Portal, user: User, code: str, keep: int) -> list[str]:
    """Put the secret in force; all sign-ins but the one with the id `keep` end.

    The recovery codes, to be shown once, where it is the first factor. Raises access.Refused.
    """
    hold(session, user)
    if user.totp_sealed is None or user.has_totp:
        raise Refused("没有等待确认的设置，请重新打开“第二重验证”页面。")
    is_first = not user.has_second_factor
    if not _uses_code(portal, user, code):
        raise Refused("验证码不对，请核对手机时间，填写应用中现在显示的 6 位数字。")
    audit.record(session, f"user:{user.id}", "second-factor.on", _subject(user), at=portal.clock())
    sign_ins.end_all(session, user, keep)
    return _new_codes(session, user) if is_first else []


def add_passkey(
    session: Session, portal: Portal, user: User, text: str, visit: Visit, name: str, keep: int
) -> list[str]:
    """A passkey in force, `text` the browser's answer; sign-ins and codes as for `confirm`.

    The caller commits either way. Raises access.Refused.
    """
    hold(session, user)
    is_first = not user.has_second_factor
    made = passkeys.add(session, portal, user, text, visit, name)
    audit.record(
        session,
        f"user:{user.id}",
        "second-factor.passkey-on",
        _subject(user),
        at=portal.clock(),
        passkey=made.id,
    )
    sign_ins.end_all(session, user, keep)
    return _new_codes(session, user) if is_first else []


def renew_codes(session: Session, portal: Portal, user: User) -> list[str]:
    """New recovery codes in place of all old ones. Raises access.Refused."""
    hold(session, user)
    if not user.has_second_factor:
        raise Refused("还没有启用第二重验证。")
    audit.record(
        session, f"user:{user.id}", "second-factor.codes", _subject(user), at=portal.clock()
    )
    return _new_codes(session, user)


def remove_totp(session: Session, portal: Portal, user: User, keep: int) -> None:
    """One's own codes count no more; all sign-ins but `keep` end. Raises access.Refused."""
    hold(session, user)
    if not user.passkeys:
        _check_may_lose_last(session, user)
    user.totp_sealed = user.totp_step = None
    audit.record(session, f"user:{user.id}", "second-factor.off", _subject(user), at=portal.clock())
    _removed(session, user, keep)


def remove_passkey(
    session: Session, portal: Portal, user: User, passkey_id: int, keep: int
) -> None:
    """One's own passkey is gone; all sign-ins but `keep` end. Raises NotFound, access.Refused."""
    hold(session, user)
    found = session.get(Passkey, passkey_id)
    if found is None or found.user_id != user.id:
        raise NotFound("Passkey")
    if not user.has_totp and len(user.passkeys) == 1:
        _check_may_lose_last(session, user)
    user.passkeys.remove(found)
    audit.record(
        session,
        f"user:{user.id}",
        "second-factor.passkey-off",
        _subject(user),
        at=portal.clock(),
        passkey=passkey_id,
    )
    _removed(session, user, keep)


def remove_all(session: Session, portal: Portal, actor: Actor, user: User) -> None:
    """By an administrator, for whoever lost them: no factor is left and every sign-in ends.

    Raises access.Refused, for the administrator's own where the policy asks for one.
    """
    accounts.check_admin(actor)
    hold(session, user)
    if actor.user_id == user.id:
        _check_may_lose_last(session, user)
    user.totp_sealed = user.totp_step = None
    user.passkeys.clear()
    audit.record(session, actor.label, "second-factor.remove", _subject(user), at=portal.clock())
    _removed(session, user)


def _check_may_lose_last(session: Session, user: User) -> None:
    if user.is_staff and policies.current(session).staff_second_factor:
        raise Refused("规则设置要求主管部门工作人员启用第二重验证，不能停用最后一种。")


def _removed(session: Session, user: User, keep: int | None = None) -> None:
    """Recovery codes go with the last factor."""
    session.flush()
    if not user.has_second_factor:
        session.execute(sa.delete(RecoveryCode).where(RecoveryCode.user_id == user.id))
    sign_ins.end_all(session, user, keep)


def codes_left(session: Session, user: User) -> int:
    counted = sa.select(sa.func.count()).where(RecoveryCode.user_id == user.id)
    return session.scalar(counted) or 0


def fits(session: Session, portal: Portal, user: User, given: str | Answer) -> bool:
    """Whether that is a passkey's answer or a code, of the application or for recovery, not used.

    It is used up.
    """
    if isinstance(given, Answer):
        return passkeys.fits(session, portal, user, given)
    hold(session, user)
    if not user.has_second_factor:
        return False
    if user.has_totp and _uses_code(portal, user, given):
        return True
    used = session.execute(
        sa.delete(RecoveryCode).where(
            RecoveryCode.user_id == user.id, RecoveryCode.code_hash == _hash(user, given)
        )
    ).rowcount  # type: ignore[attr-defined]
    if used:
        audit.record(
            session, f"user:{user.id}", "second-factor.recover", _subject(user), at=portal.clock()
        )
    return bool(used)


def complete(
    session: Session, portal: Portal, awaited: SignIn, given: str | Answer, address: str | None
) -> Opened | None:
    """The sign-in that awaited a code or a passkey, in force under a new token, or None.

    The caller commits either way. Raises lockouts.Locked.
    """
    user, now = awaited.user, portal.clock()
    attempt = Attempt(user.username, address)
    lockouts.begin(session, portal, attempt)
    if not fits(session, portal, user, given):
        audit.record(session, "anonymous", "sign-in.refuse", _subject(user), at=now)
        return None
    lockouts.succeed(session, portal, attempt)
    session.delete(awaited)
    return sign_ins.begin(session, user, now)


def prove(
    session: Session, portal: Portal, sign_in_id: int, given: str | Answer, address: str | None
) -> bool:
    """Whether whose sign-in it is gave their password, a code or a passkey; notes that they did.

    The caller commits either way. Raises lockouts.Locked.
    """
    found = session.get_one(SignIn, sign_in_id)
    attempt = Attempt(found.user.username, address)
    lockouts.begin(session, portal, attempt)
    user = found.user
    is_password = isinstance(given, str) and passwords.fits(given, user.password_hash)
    if not is_password and not fits(session, portal, user, given):
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
    made = [
        "-".join(secrets.token_hex(2) for _ in range(CODE_GROUPS)) for _ in range(RECOVERY_CODES)
    ]
    session.add_all(RecoveryCode(user_id=user.id, code_hash=_hash(user, code)) for code in made)
    return made


def _hash(user: User, code: str) -> bytes:
    """112 random bits need no slow hash (ASVS 5.0, 6.5.2); the id keeps equal codes apart."""
    plain = "".join(code.split()).replace("-", "").lower()
    return sha256(f"{user.id}\n{plain}".encode()).digest()


def _totp(portal: Portal, user: User) -> pyotp.TOTP:
    sealed = user.totp_sealed or b""
    return pyotp.TOTP(portal.vault.unseal("users", "totp", _place(user), sealed), interval=STEP)


def _place(user: User) -> bytes:
    return user.username.encode()


def _subject(user: User) -> str:
    return f"user:{user.id}"
