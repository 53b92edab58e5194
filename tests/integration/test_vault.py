"""The index key in the database: made once, sealed under the ring."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from school_portal.models import WrappedKey
from school_portal.security.cipher import KEY_ID_SIZE, KeyRing, Unreadable, key_id
from school_portal.security.vault import Vault
from school_portal.services.portal import Portal


def test_the_vault_opens_with_the_same_index_key(session: Session, portal: Portal) -> None:
    ring = KeyRing(portal.settings.encryption_keys)
    again = Vault.create(session, ring)
    assert again.index("person", "x") == portal.vault.index("person", "x")
    assert Vault.open(session, ring).index("person", "x") == portal.vault.index("person", "x")
    sealed = session.scalars(sa.select(WrappedKey.sealed)).one()
    assert sealed[:KEY_ID_SIZE] == key_id(portal.settings.encryption_keys[0])


def test_other_keys_do_not_open_it(session: Session) -> None:
    with pytest.raises(Unreadable):
        Vault.open(session, KeyRing([bytes(32)]))


def test_a_database_without_index_key_says_what_to_do(session: Session) -> None:
    session.execute(sa.delete(WrappedKey))
    with pytest.raises(Unreadable, match="school-portal init"):
        Vault.open(session, KeyRing([bytes(32)]))
