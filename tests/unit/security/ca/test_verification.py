"""Each fault of a certificate has its code; the good ones, of both kinds of key, pass."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from asn1crypto.core import UTF8String
from asn1crypto.x509 import BasicConstraints, Extension, ExtKeyUsageSyntax, KeyUsage
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from school_portal.demo import authority
from school_portal.demo.authority import Issued, RsaSigner, Sm2Signer, extension
from school_portal.security.ca.certificates import read_certificate
from school_portal.security.ca.verification import CaRefused, Verified, verify
from tests.factories.authority import DAY, KEY_ID, NOW, OID, World, new_signer

KINDS = ("rsa", "sm2")
MESSAGE = "school-portal/v1\nhttp://localhost\nsign-in\nAAAA"


def judged(world: World, leaf: Issued, signature: bytes | None = None) -> Verified:
    signed = leaf.signer.sign(MESSAGE.encode()) if signature is None else signature
    return verify(read_certificate(leaf.der), signed, [MESSAGE], world.trust(), OID, NOW)


def code(world: World, leaf: Issued, signature: bytes | None = None) -> str:
    with pytest.raises(CaRefused) as told:
        judged(world, leaf, signature)
    return told.value.code


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("root_kind", KINDS)
def test_a_good_certificate_names_its_key(kind: str, root_kind: str) -> None:
    world = World(kind, root_kind)
    leaf = world.leaf()
    found = judged(world, leaf)
    assert found.key_id == KEY_ID
    assert found.message == MESSAGE
    assert found.revocation.next_update == NOW + DAY


@pytest.mark.parametrize("kind", KINDS)
def test_a_renewed_certificate_has_the_same_key_id_and_another_key(kind: str) -> None:
    world = World(kind)
    old, new = world.leaf(), world.leaf()
    assert old.signer.public.dump() != new.signer.public.dump()
    assert judged(world, old).key_id == judged(world, new).key_id == KEY_ID


@pytest.mark.parametrize("salt", [0, 20, 32, padding.PSS.MAX_LENGTH])
def test_pss_with_any_salt(salt: int) -> None:
    world, signer = World("rsa"), RsaSigner()
    sha = hashes.SHA256()
    scheme = padding.PSS(padding.MGF1(sha), salt)
    signature = signer.private.sign(MESSAGE.encode(), scheme, sha)
    assert judged(world, world.leaf(signer=signer), signature).key_id == KEY_ID


@pytest.mark.parametrize(
    "scheme, digest",
    [
        (padding.PKCS1v15(), hashes.SHA1()),
        (padding.PKCS1v15(), hashes.SHA512()),
        (padding.PSS(padding.MGF1(hashes.SHA1()), 32), hashes.SHA256()),
    ],
)
def test_another_hash_is_another_signature(
    scheme: padding.AsymmetricPadding, digest: hashes.HashAlgorithm
) -> None:
    world, signer = World("rsa"), RsaSigner()
    signature = signer.private.sign(MESSAGE.encode(), scheme, digest)
    assert code(world, world.leaf(signer=signer), signature) == "ca.signature"


@pytest.mark.parametrize("user_id", [b"ALICE123@YAHOO.COM", b"123456781234567"])
def test_sm2_with_another_user_id(user_id: bytes) -> None:
    world = World("sm2")
    assert code(world, world.leaf(signer=Sm2Signer(user_id))) == "ca.signature"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "spoiled",
    [
        lambda s: b"",
        lambda s: s[:-1],
        lambda s: bytes(len(s)),
        lambda s: s[::-1],
        lambda s: s + b"\0",
    ],
)
def test_a_signature_that_is_none(kind: str, spoiled: Callable[[bytes], bytes]) -> None:
    world = World(kind)
    leaf = world.leaf()
    assert code(world, leaf, spoiled(leaf.signer.sign(MESSAGE.encode()))) == "ca.signature"


@pytest.mark.parametrize("kind", KINDS)
def test_a_signature_over_something_else(kind: str) -> None:
    world = World(kind)
    leaf = world.leaf()
    assert code(world, leaf, leaf.signer.sign(MESSAGE.encode() + b"\n")) == "ca.signature"


Broken = Callable[[World], Issued]


def _by_a_stranger(world: World) -> Issued:
    return world.leaf(issuer=world.ca("中间", new_signer(world.kind)))


def _by_a_namesake_of_the_issuer(world: World) -> Issued:
    stranger = Issued(world.middle.certificate, new_signer(world.kind))
    return world.leaf(issuer=stranger)


def _by_itself(world: World) -> Issued:
    return World.ca("操作人员", new_signer(world.kind), extensions=_person())


def _by_a_person(world: World) -> Issued:
    person = world.leaf()
    world.bundle.append(person)
    return world.leaf(issuer=person)


def _by_a_ca_that_signs_no_certificates(world: World) -> Issued:
    usage = [
        authority.for_a_ca()[0],
        extension("2.5.29.15", KeyUsage({"crl_sign"}).dump(), critical=True),
    ]
    world.bundle[1] = world.ca("中间", new_signer(world.kind), world.root, extensions=usage)
    return world.leaf(issuer=world.bundle[1])


def _below_too_many_cas(world: World) -> Issued:
    flat = authority.for_a_ca(path_length=0)
    upper = world.ca("上级", new_signer(world.kind), world.root, extensions=flat)
    lower = world.ca("下级", new_signer(world.kind), upper)
    world.bundle += [upper, lower]
    return world.leaf(issuer=lower)


def _without_its_root(world: World) -> Issued:
    del world.bundle[0]
    return world.leaf()


def _by_a_ca_with_limits_not_understood(world: World) -> Issued:
    limits = [*authority.for_a_ca(), extension("2.5.29.30", b"0\0", critical=True)]
    world.bundle[1] = world.ca("中间", new_signer(world.kind), world.root, extensions=limits)
    return world.leaf(issuer=world.bundle[1])


def _with_a_critical_extension_not_understood(world: World) -> Issued:
    return world.leaf(extensions=[*_person(), extension("1.2.3.4", b"\5\0", critical=True)])


def _expired(world: World) -> Issued:
    return world.leaf(begins=NOW - 2 * DAY, ends=NOW - DAY)


def _not_yet_valid(world: World) -> Issued:
    return world.leaf(begins=NOW + DAY, ends=NOW + 2 * DAY)


def _below_an_expired_ca(world: World) -> Issued:
    ends = NOW - DAY
    world.bundle[1] = world.ca("中间", new_signer(world.kind), world.root, ends=ends)
    return world.leaf(issuer=world.bundle[1])


def _below_a_root_not_yet_valid(world: World) -> Issued:
    world.bundle[0] = world.ca("根", world.root.signer, begins=NOW + DAY)
    return world.leaf()


def _revoked(world: World) -> Issued:
    leaf = world.leaf()
    _give_crl(world, world.middle, [leaf])
    return leaf


def _revoked_in_an_old_list(world: World) -> Issued:
    leaf = world.leaf()
    world.crls = [authority.revoke(world.middle, [leaf], NOW - 2 * DAY, NOW - DAY)]
    return leaf


def _below_a_revoked_ca(world: World) -> Issued:
    _give_crl(world, world.root, [world.middle])
    return world.leaf()


def _with_an_old_list(world: World) -> Issued:
    world.crls = [authority.revoke(world.middle, [], NOW - 2 * DAY, NOW - DAY)]
    return world.leaf()


def _with_an_old_list_of_the_root(world: World) -> Issued:
    _give_crl(world, world.root, [], ends=-1)
    return world.leaf()


def _with_a_list_to_come(world: World) -> Issued:
    world.crls = [authority.revoke(world.middle, [], NOW + DAY, NOW + 2 * DAY)]
    return world.leaf()


def _with_a_list_without_end(world: World) -> Issued:
    world.crls = [authority.revoke(world.middle, [], NOW - DAY, None)]
    return world.leaf()


def _without_a_list_of_its_issuer(world: World) -> Issued:
    world.crls = [authority.revoke(world.root, [], NOW - DAY, NOW + DAY)]
    return world.leaf()


def _with_a_forged_list(world: World) -> Issued:
    forger = Issued(world.middle.certificate, new_signer(world.kind))
    world.crls = [authority.revoke(forger, [], NOW - DAY, NOW + DAY)]
    return world.leaf()


def _with_a_delta(world: World) -> Issued:
    delta = [extension("2.5.29.27", b"\x02\x01\x01", critical=True)]
    world.crls = [authority.revoke(world.middle, [], NOW - DAY, NOW + DAY, delta)]
    return world.leaf()


def _with_an_indirect_list(world: World) -> Issued:
    indirect = [extension("2.5.29.28", b"\x30\x03\x84\x01\xff", critical=True)]
    world.crls = [authority.revoke(world.middle, [], NOW - DAY, NOW + DAY, indirect)]
    return world.leaf()


def _give_crl(world: World, ca: Issued, revoked: list[Issued], ends: int = 1) -> None:
    """Beside an older list that revokes nobody."""
    begins, last = NOW - DAY / 2 if ends > 0 else NOW - 2 * DAY, NOW + ends * DAY
    assert world.crls is not None
    if ends < 0:
        world.crls = world.crls[1:]
    world.crls.append(authority.revoke(ca, revoked, begins, last))


def _person(usage: set[str] | None = None, *purposes: str) -> list[Extension]:
    found = [extension(OID, UTF8String(KEY_ID).dump())]
    if usage != set():
        names = usage or {"digital_signature"}
        found.append(extension("2.5.29.15", KeyUsage(names).dump(), critical=True))
    if purposes:
        found.append(extension("2.5.29.37", ExtKeyUsageSyntax(list(purposes)).dump()))
    return found


def _for_encryption(world: World) -> Issued:
    return world.leaf(extensions=_person({"key_encipherment", "data_encipherment"}))


def _without_usage(world: World) -> Issued:
    return world.leaf(extensions=_person(set()))


def _for_servers(world: World) -> Issued:
    return world.leaf(extensions=_person(None, "server_auth", "any_extended_key_usage"))


def _a_ca_itself(world: World) -> Issued:
    constraints = BasicConstraints({"ca": True}).dump()
    return world.leaf(extensions=[*_person(), extension("2.5.29.19", constraints)])


def _without_key_id(world: World) -> Issued:
    return world.leaf(extensions=_person()[1:])


def _with_a_blank_key_id(world: World) -> Issued:
    blank = extension(OID, UTF8String(" \t").dump())
    return world.leaf(extensions=[*_person()[1:], blank])


FAULTS = {
    "ca.untrusted": [
        _by_a_stranger, _by_a_namesake_of_the_issuer, _by_itself, _by_a_person,
        _by_a_ca_that_signs_no_certificates, _below_too_many_cas, _without_its_root,
        _by_a_ca_with_limits_not_understood, _with_a_critical_extension_not_understood,
    ],
    "ca.expired": [_expired, _not_yet_valid, _below_an_expired_ca, _below_a_root_not_yet_valid],
    "ca.revoked": [_revoked, _revoked_in_an_old_list, _below_a_revoked_ca],
    "ca.crl-stale": [
        _with_an_old_list, _with_an_old_list_of_the_root, _with_a_list_to_come,
        _with_a_list_without_end, _without_a_list_of_its_issuer, _with_a_forged_list,
        _with_a_delta, _with_an_indirect_list,
    ],
    "ca.key-usage": [_for_encryption, _without_usage, _for_servers, _a_ca_itself],
    "ca.key-id-missing": [_without_key_id, _with_a_blank_key_id],
}  # fmt: skip
TABLE = [
    pytest.param(expected, broken, id=broken.__name__.strip("_"))
    for expected, all_broken in FAULTS.items()
    for broken in all_broken
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("expected, broken", TABLE)
def test_each_fault_has_its_code(kind: str, expected: str, broken: Broken) -> None:
    world = World(kind)
    assert code(world, broken(world)) == expected


def test_a_short_rsa_key_is_not_trusted() -> None:
    world = World("rsa")
    assert code(world, world.leaf(signer=RsaSigner(bits=1024))) == "ca.untrusted"


def test_a_ca_with_a_short_rsa_key_issues_nothing() -> None:
    world = World("rsa")
    world.bundle[1] = world.ca("中间", RsaSigner(bits=1024), world.root)
    assert code(world, world.leaf(issuer=world.bundle[1])) == "ca.untrusted"


def test_an_sm2_certificate_signed_under_another_user_id_is_not_trusted() -> None:
    world = World("sm2")
    world.bundle[1] = world.ca("中间", Sm2Signer(b"8765432187654321"), world.root)
    assert code(world, world.leaf(issuer=world.bundle[1])) == "ca.untrusted"


def test_a_reissued_root_beside_the_expired_one() -> None:
    world = World("rsa")
    world.bundle.insert(0, world.ca("根", world.root.signer, ends=NOW - DAY))
    assert judged(world, world.leaf()).key_id == KEY_ID


def test_the_newest_list_counts() -> None:
    world = World("sm2")
    assert world.crls is not None
    leaf = world.leaf()
    world.crls.insert(0, authority.revoke(world.middle, [leaf], NOW - 3 * DAY, NOW + DAY))
    assert judged(world, leaf).revocation.this_update == NOW - DAY


def test_without_crls_configured_revocation_is_not_known() -> None:
    world = World("rsa")
    world.crls = None
    assert judged(world, world.leaf()).revocation.this_update is None


def test_cas_that_sign_each_other_end() -> None:
    world = World("rsa")
    keys = [new_signer("rsa") for _ in range(2)]
    first = world.ca("甲", keys[0])
    second = world.ca("乙", keys[1], first)
    world.bundle = [world.ca("甲", keys[0], second), second]
    assert code(world, world.leaf(issuer=second)) == "ca.untrusted"
