"""Canonical JSON (RFC 8785) and its hash: what a signature and a receipt speak of."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import rfc8785


def canonical(content: dict[str, Any]) -> bytes:
    """The one way to write the content. Raises ValueError for what RFC 8785 has no way to write."""
    return rfc8785.dumps(content)


def digest(content: dict[str, Any]) -> str:
    """SHA-256 (hex) of the content's canonical form. Raises ValueError as `canonical` does."""
    return sha256(canonical(content)).hexdigest()
