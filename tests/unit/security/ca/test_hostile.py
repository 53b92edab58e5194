"""Hostile certificates, CRLs and PEM: refused or malformed, and nothing else."""

from __future__ import annotations

from contextlib import suppress
from functools import cache

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from school_portal.demo.authority import Issued
from school_portal.security.ca.certificates import (
    MAX_SIZE,
    Malformed,
    certificate_bytes,
    read_certificate,
    unbase64,
)
from school_portal.security.ca.crls import read_crl
from school_portal.security.ca.verification import CaRefused, verify
from tests.factories.authority import NOW, OID, World, bundle_text


@cache
def world(kind: str) -> tuple[World, Issued]:
    made = World(kind)
    return made, made.leaf()


kinds = st.sampled_from(("rsa", "sm2"))
changes = st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=4)


def changed(der: bytes, places: list[tuple[int, int]]) -> bytes:
    made = bytearray(der)
    for place, value in places:
        made[place % len(made)] = value
    return bytes(made)


@given(kinds, changes)
def test_a_changed_certificate_never_passes(kind: str, places: list[tuple[int, int]]) -> None:
    made, leaf = world(kind)
    spoiled = changed(leaf.der, places)
    assume(spoiled != leaf.der)
    with suppress(Malformed):
        certificate, signature = read_certificate(spoiled), leaf.signer.sign(b"message")
        with pytest.raises(CaRefused):
            verify(certificate, signature, ["message"], made.trust(), OID, NOW)


@given(st.binary(max_size=300))
def test_any_bytes(content: bytes) -> None:
    for read in (read_certificate, read_crl):
        with pytest.raises(Malformed):
            read(content)


@given(kinds, changes)
def test_a_changed_list(kind: str, places: list[tuple[int, int]]) -> None:
    made, _ = world(kind)
    assert made.crls is not None
    with suppress(Malformed):
        read_crl(changed(made.crls[1], places))


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    for read in (certificate_bytes, unbase64):
        with suppress(Malformed):
            read(text)


def test_one_certificate_at_a_time() -> None:
    made, _ = world("rsa")
    assert certificate_bytes("remark\n" + bundle_text(made.root)) == made.root.der
    for text in (bundle_text(made.root, made.middle), bundle_text(made.root)[:-20], "-----BEGIN "):
        with pytest.raises(Malformed):
            certificate_bytes(text)


def test_a_certificate_has_its_limit() -> None:
    with pytest.raises(Malformed):
        read_certificate(b"\x30\x83" + (MAX_SIZE * 2).to_bytes(3, "big") + bytes(MAX_SIZE * 2))
