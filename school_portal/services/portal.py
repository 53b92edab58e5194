"""What every use case may need of its surroundings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from flask import current_app

from school_portal.domain.windows import civil_date

if TYPE_CHECKING:
    from school_portal.config import Settings
    from school_portal.security.ca.trust import TrustFiles
    from school_portal.security.cipher import KeyRing
    from school_portal.security.vault import Vault
    from school_portal.storage import Storage

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """The one clock; tests inject another."""
    return datetime.now(UTC)


@dataclass(frozen=True)
class Portal:
    """Settings, clock, storage and vault of the running portal."""

    settings: Settings
    clock: Clock
    storage: Storage
    ring: KeyRing
    open_vault: Callable[[], Vault]
    trust: TrustFiles | None = None  # None: nobody signs in with a key

    @property
    def vault(self) -> Vault:
        """The keys in use, for one transaction: the index key lies in the database and may change.

        Whoever goes on after a commit asks again.
        """
        return self.open_vault()

    def today(self) -> date:
        """The civil day in Asia/Shanghai (rulebook 3, `TZ`)."""
        return civil_date(self.clock())


def current_portal() -> Portal:
    """The portal of the application in whose context the caller runs."""
    portal: Portal = current_app.extensions["portal"]
    return portal
