"""The one place where a thing changes its state: by its workflow's table, guarded by its version."""

from __future__ import annotations
