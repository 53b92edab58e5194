"""Names that say one encoding and hold another, or letters that the folding's tables lack."""

from __future__ import annotations

import pytest
from asn1crypto.core import Integer, ObjectIdentifier
from asn1crypto.x509 import AuthorityKeyIdentifier, GeneralName, GeneralNames, Name

from school_portal.demo.authority import extension, for_a_person, issue, revoke
from school_portal.security.ca.certificates import Malformed, read_certificate
from school_portal.security.ca.crls import read_crl
from school_portal.security.ca.verification import CaRefused, verify
from tests.factories.authority import DAY, KEY_ID, NOW, OID, World, new_signer

MESSAGE = "school-portal/v1\nhttp://localhost\nsign-in\nAAAA"
UTF8, PRINTABLE, TELETEX, IA5, UNIVERSAL, BMP = 12, 19, 20, 22, 28, 30
WRITTEN = [
    (TELETEX, "上海示例认证中心", "utf-8"),
    (TELETEX, "上海示例认证中心", "gb18030"),
    (IA5, "上海示例认证中心", "gb18030"),
    (IA5, "上海示例认证中心", "utf-8"),
    (PRINTABLE, "上海示例认证中心", "gb18030"),
    (UTF8, "上海示例认证中心", "gb18030"),
    (UTF8, "示例\U00030edd\U0002ebf0中心", "utf-8"),
    (BMP, "上海示例认证中心", "utf-16-be"),
    (UNIVERSAL, "上海示例认证中心", "utf-32-be"),
]


def element(tag: int, *parts: bytes) -> bytes:
    content = b"".join(parts)
    return bytes([tag, len(content)]) + content


def written(tag: int, content: bytes) -> Name:
    """A common name of that type and those bytes."""
    pair = element(0x30, ObjectIdentifier("2.5.4.3").dump(), element(tag, content))
    return Name.load(element(0x30, element(0x31, pair)))


def world(kind: str, root: Name, middle: Name) -> World:
    made = World(kind)
    made.root = made.ca(root, new_signer(kind))
    made.middle = made.ca(middle, new_signer(kind), made.root)
    made.bundle = [made.root, made.middle]
    issuer = GeneralNames([GeneralName("directory_name", root)])
    named = AuthorityKeyIdentifier(
        {"authority_cert_issuer": issuer, "authority_cert_serial_number": 1}
    )
    extensions = [extension("2.5.29.35", named.dump())]
    made.crls = [revoke(ca, [], NOW - DAY, NOW + DAY, extensions) for ca in made.bundle]
    return made


@pytest.mark.parametrize("kind", ["rsa", "sm2"])
@pytest.mark.parametrize(("tag", "name", "encoding"), WRITTEN)
def test_a_key_of_an_authority_with_such_a_name_is_good(
    kind: str, tag: int, name: str, encoding: str
) -> None:
    root, middle = (written(tag, f"{name}{end}".encode(encoding)) for end in "甲乙")
    made = world(kind, root, middle)
    leaf = made.leaf()
    signature = leaf.signer.sign(MESSAGE.encode())
    found = verify(read_certificate(leaf.der), signature, [MESSAGE], made.trust(), OID, NOW)
    assert found.key_id == KEY_ID
    assert [one.name for one in found.chain[1:]] == [f"{name}乙", f"{name}甲"]


@pytest.mark.parametrize(("tag", "name", "encoding"), WRITTEN)
def test_a_holder_with_such_a_name_signs_in_until_revoked(
    tag: int, name: str, encoding: str
) -> None:
    root, middle, own = (written(tag, f"{name}{end}".encode(encoding)) for end in "甲乙丙")
    made = world("rsa", root, middle)
    signer, given = new_signer("rsa"), for_a_person(KEY_ID, OID)
    leaf = issue(own, signer, given, NOW - DAY, NOW + DAY, made.middle)
    certificate, signature = read_certificate(leaf.der), signer.sign(MESSAGE.encode())
    assert certificate.name == f"{name}丙"
    assert verify(certificate, signature, [MESSAGE], made.trust(), OID, NOW).key_id == KEY_ID
    made.crls = [revoke(ca, [leaf], NOW - DAY, NOW + DAY) for ca in made.bundle]
    with pytest.raises(CaRefused, match=r"ca\.revoked"):
        verify(certificate, signature, [MESSAGE], made.trust(), OID, NOW)


def test_another_such_name_is_another_issuers() -> None:
    one, other = (written(IA5, text.encode("gb18030")) for text in ("甲中心", "乙中心"))
    made = World("rsa")
    made.root = made.ca(one, new_signer("rsa"))
    leaf = made.leaf(issuer=made.root)
    # The same key under another name.
    made.bundle, made.crls = [made.ca(other, made.root.signer)], None
    signature = leaf.signer.sign(MESSAGE.encode())
    with pytest.raises(CaRefused, match=r"ca\.untrusted"):
        verify(read_certificate(leaf.der), signature, [MESSAGE], made.trust(), OID, NOW)


def test_a_list_with_one_extension_twice_is_malformed() -> None:
    made, number = World("rsa"), extension("2.5.29.20", Integer(1).dump())
    assert read_crl(revoke(made.root, [], NOW - DAY, NOW + DAY, [number])).scope is not None
    with pytest.raises(Malformed):
        read_crl(revoke(made.root, [], NOW - DAY, NOW + DAY, [number, number]))


def test_a_name_in_no_known_encoding_is_shown_by_its_bytes() -> None:
    made = World.ca(written(TELETEX, b"\xff\xff\xff"), new_signer("rsa"))
    assert read_certificate(made.der).name == "ffffff"
