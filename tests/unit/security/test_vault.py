"""The vault: a text opens in its own cell alone; the index finds equal texts of one kind."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given
from hypothesis import strategies as st

from school_portal.security.cipher import KeyRing, Unreadable
from school_portal.security.vault import KINDS, Vault

VAULT = Vault(KeyRing([bytes(range(32))]), bytes(range(32, 64)))
names = st.text("abs_", min_size=1, max_size=4)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)


@given(names, names, st.binary(max_size=33), texts)
def test_a_text_comes_back(table: str, column: str, row_key: bytes, text: str) -> None:
    sealed = VAULT.seal(table, column, row_key, text)
    assert VAULT.unseal(table, column, row_key, sealed) == text


@given(
    st.tuples(names, names, st.binary(max_size=4)), st.tuples(names, names, st.binary(max_size=4))
)
def test_no_two_cells_open_the_same(
    here: tuple[str, str, bytes], there: tuple[str, str, bytes]
) -> None:
    sealed = VAULT.seal(*here, "310104200001010026")
    if here == there:
        assert VAULT.unseal(*there, sealed) == "310104200001010026"
        return
    with pytest.raises(Unreadable):
        VAULT.unseal(*there, sealed)


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (("ab", "c", b"d"), ("a", "bc", b"d")),
        (("a", "bc", b"d"), ("a", "b", b"cd")),
        (("a", "b", b"\x01c"), ("a", "b\x01", b"c")),
    ],
)
def test_the_parts_of_a_place_do_not_run_together(
    here: tuple[str, str, bytes], there: tuple[str, str, bytes]
) -> None:
    sealed = VAULT.seal(*here, "text")
    with pytest.raises(Unreadable):
        VAULT.unseal(*there, sealed)


def test_many_are_sealed_as_one_is() -> None:
    cells = [(bytes([number]), str(number)) for number in range(5)]
    sealed = VAULT.seal_many("students", "mobile", cells)
    for (row_key, text), each in zip(cells, sealed, strict=True):
        assert VAULT.unseal("students", "mobile", row_key, each) == text
    assert len({each[4:16] for each in sealed}) == len(sealed)


@given(st.lists(texts, unique=True, min_size=1, max_size=5))
def test_the_index_tells_texts_and_kinds_apart(texts: list[str]) -> None:
    hashes = [each for kind in KINDS for each in VAULT.index_many(kind, texts)]
    assert len(set(hashes)) == len(texts) * len(KINDS)
    assert {len(each) for each in hashes} == {32}
    assert VAULT.index("person", texts[0]) == hashes[0]


@given(texts)
def test_the_index_is_an_hmac(text: str) -> None:
    expected = hmac.digest(bytes(range(32, 64)), b"person\0" + text.encode(), "sha256")
    assert VAULT.index("person", text) == expected


def test_the_index_hangs_on_its_own_key() -> None:
    ring = VAULT.ring
    assert Vault(ring, bytes(32)).index("person", "x") != VAULT.index("person", "x")
    other_ring = Vault(KeyRing([bytes(32)]), bytes(range(32, 64)))
    assert other_ring.index("person", "x") == VAULT.index("person", "x")
