"""The key ring: what it seals opens in its place alone, and never when it was touched."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_portal.security.cipher import KEY_ID_SIZE, KeyRing, Unreadable, key_id

OLD, NEW = bytes(range(32)), bytes(range(32, 64))


@given(st.binary(max_size=200), st.binary(max_size=60))
def test_what_is_sealed_opens_again(plaintext: bytes, associated: bytes) -> None:
    ring = KeyRing([NEW, OLD])
    sealed = ring.seal(plaintext, associated)
    assert ring.unseal(sealed, associated) == plaintext
    assert sealed[:KEY_ID_SIZE] == key_id(NEW)
    assert ring.seal(plaintext, associated) != sealed


@given(st.binary(max_size=40), st.binary(max_size=20), st.binary(max_size=20))
def test_another_place_does_not_open_it(plaintext: bytes, here: bytes, there: bytes) -> None:
    ring = KeyRing([NEW])
    sealed = ring.seal(plaintext, here)
    if here == there:
        assert ring.unseal(sealed, there) == plaintext
    else:
        with pytest.raises(Unreadable):
            ring.unseal(sealed, there)


@given(st.binary(min_size=1, max_size=40), st.data())
def test_a_flipped_bit_is_noticed(plaintext: bytes, data: st.DataObject) -> None:
    ring = KeyRing([NEW, OLD])
    sealed = bytearray(ring.seal(plaintext, b"place"))
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(Unreadable):
        ring.unseal(bytes(sealed), b"place")


@given(st.binary(max_size=40), st.data())
def test_a_cut_off_end_is_noticed(plaintext: bytes, data: st.DataObject) -> None:
    ring = KeyRing([NEW])
    sealed = ring.seal(plaintext, b"place")
    with pytest.raises(Unreadable):
        ring.unseal(sealed[: data.draw(st.integers(0, len(sealed) - 1))], b"place")


def test_an_older_key_still_opens_and_the_newest_seals() -> None:
    sealed = KeyRing([OLD]).seal(b"content", b"place")
    ring = KeyRing([NEW, OLD])
    assert ring.unseal(sealed, b"place") == b"content"
    assert ring.newest == key_id(NEW)
    assert ring.key_ids == [key_id(NEW), key_id(OLD)]


def test_a_refusal_tells_nothing_of_the_content() -> None:
    sealed = KeyRing([OLD]).seal(b"310104200001010026", b"place")
    for ring in (KeyRing([NEW]), KeyRing([OLD])):
        with pytest.raises(Unreadable) as refusal:
            ring.unseal(sealed, b"another place")
        assert "310104" not in str(refusal.value)
        assert refusal.value.__cause__ is None


def test_a_running_process_takes_a_new_key_over() -> None:
    changes: list[list[bytes] | None] = [None]
    ring = KeyRing([OLD], reload=lambda: changes.pop() if changes else None)
    assert ring.seal(b"content", b"")[:KEY_ID_SIZE] == key_id(OLD)
    changes.append([NEW, OLD])
    assert ring.unseal(KeyRing([NEW]).seal(b"content", b""), b"") == b"content"
    changes.append([NEW, OLD])
    assert ring.seal(b"content", b"")[:KEY_ID_SIZE] == key_id(NEW)


def test_derived_ciphers_differ_by_key_salt_and_purpose() -> None:
    ring = KeyRing([NEW, OLD])
    arguments = [
        (key_id(NEW), b"salt", b"a"),
        (key_id(OLD), b"salt", b"a"),
        (key_id(NEW), b"pepper", b"a"),
        (key_id(NEW), b"salt", b"b"),
    ]
    sealed = {ring.derive(*each).encrypt(bytes(12), b"content", None) for each in arguments}
    assert len(sealed) == len(arguments)
