"""What is trusted: the PEM files of roots and intermediates, and of CRLs, as they are now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import structlog

from school_portal.config import PREFIX, SettingsError
from school_portal.security.ca.certificates import (
    Certificate,
    Malformed,
    pem_blocks,
    read_certificate,
)
from school_portal.security.ca.crls import RevocationList, read_crl

log = structlog.get_logger()

T = TypeVar("T")


class PemFile(Generic[T]):
    """A file of several entries; what it holds counts, whatever its date says."""

    def __init__(self, setting: str, path: Path, label: str, read: Callable[[bytes], T]) -> None:
        self.setting, self.path, self.label, self.read = setting, path, label, read
        self._kept: tuple[bytes, tuple[T, ...]] | None = None

    def entries(self) -> tuple[T, ...]:
        """All entries. Raises SettingsError where the file is missing, malformed or has none."""
        try:
            content = self.path.read_bytes()
        except OSError:
            raise SettingsError(f"设置 {PREFIX}{self.setting} 所指的文件无法读取") from None
        if self._kept is None or self._kept[0] != content:
            self._kept = (content, self._parsed(content))
        return self._kept[1]

    def _parsed(self, content: bytes) -> tuple[T, ...]:
        try:
            found = tuple(self.read(der) for der in pem_blocks(content, self.label))
        except Malformed:
            found = ()
        if not found:
            raise SettingsError(
                f"设置 {PREFIX}{self.setting} 所指的文件须为 PEM，含一个以上完好的 {self.label}"
            )
        return found

    def entries_or_none(self) -> tuple[T, ...]:
        """As `entries`, while the portal runs: a file that went bad holds nothing."""
        try:
            return self.entries()
        except SettingsError as error:
            log.error("ca.file", problem=str(error))
            return ()


@dataclass(frozen=True, slots=True)
class Trust:
    """Roots and intermediates, and CRLs: None where no CRLs are configured.

    `override` is the id of an administrator's, by which CRLs past their dates still count.
    """

    bundle: tuple[Certificate, ...]
    crls: tuple[RevocationList, ...] | None
    override: int | None = None


class TrustFiles:
    """The files named by the settings. Raises SettingsError where one is not fit at the start."""

    def __init__(self, bundle: Path, crls: Path | None, key_id_oid: str) -> None:
        self.key_id_oid = key_id_oid
        self._bundle = PemFile("CA_BUNDLE", bundle, "CERTIFICATE", read_certificate)
        self._crls = PemFile("CA_CRLS", crls, "X509 CRL", read_crl) if crls else None
        self._bundle.entries()
        if self._crls:
            self._crls.entries()

    def read(self) -> Trust:
        """What the files hold now."""
        crls = self._crls.entries_or_none() if self._crls else None
        return Trust(self._bundle.entries_or_none(), crls)
