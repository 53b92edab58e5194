"""A keyID in every string type, wrapped, loose and bare."""

from __future__ import annotations

import pytest
from asn1crypto import core
from hypothesis import given
from hypothesis import strategies as st

from school_portal.security.ca.key_id import text_of

KEY_ID = "1@SF310104200001010017"
RAW = KEY_ID.encode()


@pytest.mark.parametrize(
    "value",
    [
        core.UTF8String(KEY_ID).dump(),
        core.IA5String(KEY_ID).dump(),
        core.PrintableString(KEY_ID).dump(),
        core.VisibleString(KEY_ID).dump(),
        core.GeneralString(KEY_ID).dump(),
        core.TeletexString(KEY_ID).dump(),
        core.BMPString(KEY_ID).dump(),
        core.UniversalString(KEY_ID).dump(),
        core.UTF8String(f" {KEY_ID}\r\n").dump(),
        core.UTF8String(KEY_ID + "\0").dump(),
        core.OctetString(RAW).dump(),
        core.OctetString(core.UTF8String(KEY_ID).dump()).dump(),
        core.OctetString(core.OctetString(core.IA5String(KEY_ID).dump()).dump()).dump(),
        core.SequenceOf([core.UTF8String(KEY_ID)], spec=core.UTF8String).dump(),
        core.UTF8String(KEY_ID, explicit=0).dump(),
        core.UTF8String(KEY_ID, implicit=0).dump(),
        b"\x0c\x81" + bytes([len(RAW)]) + RAW,
        b"\x16\x82\0" + bytes([len(RAW)]) + RAW,
        core.UTF8String(KEY_ID).dump() + b"\0\0",
        RAW,
        b"  " + RAW + b"\n",
    ],
)
def test_the_text_is_found(value: bytes) -> None:
    assert text_of(value) == KEY_ID


def test_bare_text_that_looks_like_a_sequence_is_text() -> None:
    text = "00" + "1" * 48  # 0x30 0x30: a sequence of 48 bytes
    assert text_of(text.encode()) == text


@pytest.mark.parametrize(
    "value", [b"", b" \n", b"\x0c\0", b"\x04\0", b"\x05\0", b"\xff\xfe", b"\x0c\x02\xff\xff"]
)
def test_nothing_is_none(value: bytes) -> None:
    assert text_of(value) is None


@given(st.binary(max_size=64))
def test_any_bytes_are_a_text_or_none(value: bytes) -> None:
    text = text_of(value)
    assert text is None or (text.strip() == text != "" and text.isprintable())
