"""A receipt's file and what holds of it, without a database (docs/receipts.md)."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec

from school_portal.security.ca.certificates import Certificate, Malformed, read_certificate
from school_portal.security.ca.trust import Trust
from school_portal.security.ca.verification import CaRefused, Code, verify
from school_portal.security.canonical import canonical, digest
from school_portal.security.receipt_key import fingerprint, sealed

MAX_SIZE = 4 * 1024 * 1024  # bytes


class Signature(msgspec.Struct, forbid_unknown_fields=True):
    """What the school's key signed; the certificates in base64 of their DER, the root last."""

    message: str
    value: str
    certificates: list[str]
    key_id_oid: str


class Revocation(msgspec.Struct, forbid_unknown_fields=True):
    """The dates of the CRL that did not list the certificate when it was submitted."""

    this_update: datetime
    next_update: datetime


class Seal(msgspec.Struct, forbid_unknown_fields=True):
    """The portal's Ed25519 key and its seal over the canonical form of everything else, base64."""

    key: str
    value: str


class Receipt(msgspec.Struct, forbid_unknown_fields=True):
    """The file's members; `revocation` is null where no CRLs were configured.

    `number` is the paper's, given by the portal; receipts of older releases lack it.
    """

    format: Literal["school-portal-receipt/1"]
    content: dict[str, Any]
    sha256: str
    arrived_at: datetime
    signature: Signature
    revocation: Revocation | None
    portal: Seal
    number: Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{2}[0-9]{1,30}\Z")] | None = None


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked; `holds` is None for what the file alone cannot show."""

    name: str
    holds: bool | None
    text: str


FORMAT = "school-portal-receipt/1"
KINDS = {
    "group-application": "团体申报",
    "specialty-evaluation": "专业评估申请",
    "account-opening": "团体申报账户开户或变更申请",
    "permission-request": "申报权限申请",
}
_CERTIFICATE = {
    Code.UNTRUSTED: "证书链不完整，或其根证书不在信任之列。",
    Code.EXPIRED: "证书链中有证书在送达之时不在有效期内。",
    Code.KEY_USAGE: "证书不能用于签名。",
    Code.KEY_ID_MISSING: "证书中没有 keyID。",
}


def check(file: bytes, bundle: Sequence[Certificate] | None) -> list[Check]:
    """What holds and what does not; `bundle` has the trusted roots, None where none is given."""
    try:
        if len(file) > MAX_SIZE:
            raise Malformed("too long for a receipt")
        receipt = msgspec.json.decode(file, type=Receipt)
        members = msgspec.json.decode(file)
        certificates = [read_certificate(_bytes(one)) for one in receipt.signature.certificates]
        signature = _bytes(receipt.signature.value)
        key, seal = _bytes(receipt.portal.key), _bytes(receipt.portal.value)
        del members["portal"]
        text, hashed = canonical(members), digest(receipt.content)
        if not certificates:
            raise Malformed("no certificate")
    except (msgspec.DecodeError, Malformed, ValueError, RecursionError):
        return [Check("format", False, "不是本平台的回执文件，或文件已损坏。")]
    return [
        _format(receipt),
        _content(receipt, hashed),
        _message(receipt),
        *_signed(receipt, certificates, signature, bundle),
        _revocation(receipt),
        _portal(receipt, sealed(key, text, seal), fingerprint(key)),
    ]


def _bytes(text: str) -> bytes:
    """Raises ValueError where the text is not the one way to write the bytes in base64."""
    found = b64decode(text, validate=True)
    if b64encode(found).decode() != text:
        raise ValueError("no canonical base64")
    return found


def _told(name: str, holds: bool, good: str, bad: str) -> Check:
    return Check(name, holds, good if holds else bad)


def _format(receipt: Receipt) -> Check:
    kind = receipt.content.get("kind")
    label = KINDS.get(kind) if isinstance(kind, str) else None
    known = f"材料为{label}" if label else "本版本不认识其中材料的类别"
    return Check("format", True, f"是本平台的回执文件，{known}。")


def _content(receipt: Receipt, hashed: str) -> Check:
    return _told(
        "content",
        hashed == receipt.sha256,
        f"内容与校验值一致：{hashed}。",
        "内容与校验值不一致，内容或校验值被改动过。",
    )


def _message(receipt: Receipt) -> Check:
    """The text that was signed is of this content, whatever the origin."""
    parts = receipt.signature.message.split("\n")
    known = len(parts) == 4 and (parts[0], parts[2]) == ("school-portal/v1", "submit")
    return _told(
        "message",
        known and parts[3] == receipt.sha256,
        f"签名文本是在 {parts[1] if known else ''} 提交这份内容。",
        "签名文本不是提交这份内容。",
    )


def _signed(
    receipt: Receipt,
    certificates: Sequence[Certificate],
    signature: bytes,
    bundle: Sequence[Certificate] | None,
) -> Iterator[Check]:
    """The signature, then its certificate as of the time of arrival."""
    # What the file brings completes a chain; a root it brings vouches for nothing.
    given = [one for one in certificates if bundle is None or not one.is_self_issued]
    trust = Trust((*(bundle or ()), *given), None)
    signed = receipt.signature
    fault = None
    try:
        verify(
            certificates[0],
            signature,
            [signed.message],
            trust,
            signed.key_id_oid,
            receipt.arrived_at,
        )
    except CaRefused as refused:
        fault = refused.code
    except TypeError:  # an instant without its offset
        fault = Code.EXPIRED
    by_key = fault is not Code.SIGNATURE
    yield _told("signature", by_key, "签名是证书的密钥所签。", "签名不是证书的密钥所签。")
    if not by_key:
        yield Check("certificate", None, "签名不成立，没有核对证书。")
    elif fault:
        yield Check("certificate", False, _CERTIFICATE[fault])
    elif bundle is None:
        root = certificates[-1].fingerprint.hex()
        yield Check(
            "certificate",
            None,
            "证书链自身完整，但没有用 --ca-bundle 给出信任的根证书，不能说明是谁签的；"
            f"文件所附根证书的 SHA-256：{root}。",
        )
    else:
        yield Check("certificate", True, "证书由信任的根签发，送达之时有效。")


def _revocation(receipt: Receipt) -> Check:
    stated = receipt.revocation
    if stated is None:
        return Check("revocation", None, "提交之时没有核对证书的吊销状态。")
    try:
        holds = stated.this_update <= receipt.arrived_at <= stated.next_update
    except TypeError:  # an instant without its offset
        holds = False
    return _told(
        "revocation",
        holds,
        "平台记载：提交之时证书未被吊销，所依据的吊销列表在有效期内。",
        "所依据的吊销列表在送达之时不在有效期内。",
    )


def _portal(receipt: Receipt, holds: bool, key: str) -> Check:
    return _told(
        "portal",
        holds,
        f"平台印记完好，{f'编号 {receipt.number}、' if receipt.number else ''}"
        f"送达时间 {receipt.arrived_at.isoformat()} 与吊销状态没有改动；"
        f"请与核验页上的平台公钥比对：{key}。",
        "平台印记不成立，回执被改动过。",
    )
