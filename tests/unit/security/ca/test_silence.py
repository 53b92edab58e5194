"""What C libraries say of a refusal does not reach the log; all else does."""

from __future__ import annotations

import os
import sys
from concurrent.futures import ThreadPoolExecutor

import gmssl_pyx
import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from school_portal.demo.authority import Sm2Signer
from school_portal.security.ca.keys import SM2_USER_ID, Sm2Key, read_key
from school_portal.security.ca.silence import silence

ORDER = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123
MESSAGE = b"message"


def key_of(signer: Sm2Signer) -> Sm2Key:
    key = read_key(signer.public)
    assert isinstance(key, Sm2Key)
    return key


def wrong_signatures(good: bytes) -> list[bytes]:
    pairs = ((0, 1), (1, 0), (ORDER, 1), (1, ORDER), (5, ORDER - 5), (2**256 + 5, 5), (123, 456))
    others = [b"", b"no DER", good[:-1], good + b"\0", good[:1] + b"\x81" + good[1:]]
    return others + [encode_dss_signature(*pair) for pair in pairs]


def test_wrong_signatures_are_refused_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    signer = Sm2Signer()
    key, good = key_of(signer), signer.sign(MESSAGE)
    assert key.signed(MESSAGE, good)
    assert not key.signed(b"another", good)
    assert not any(key.signed(MESSAGE, wrong) for wrong in wrong_signatures(good))
    assert not key_of(Sm2Signer()).signed(MESSAGE, good)
    assert capfd.readouterr() == ("", "")


def test_others_are_heard_meanwhile_and_all_afterwards(capfd: pytest.CaptureFixture[str]) -> None:
    with silence():
        print("python", file=sys.stderr)
        os.write(2, b"descriptor\n")
    said = capfd.readouterr().err
    assert ("python" in said, "descriptor" in said) == (True, True)
    signer = Sm2Signer()
    key, good = key_of(signer), signer.sign(MESSAGE)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: key.signed(b"another", good), range(64)))
    assert (any(found), capfd.readouterr().err) == (False, "")
    # Without us, the library speaks as ever.
    assert not gmssl_pyx.sm2_verify(signer.point, b"another", good, SM2_USER_ID)
    assert "sm2_verify" in capfd.readouterr().err
