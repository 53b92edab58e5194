"""Nothing fetches an address: what speaks to other machines is named here (SSRF)."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[2]
CLIENTS = {"http", "requests", "httpx", "urllib3", "aiohttp", "ftplib", "smtplib", "socket"}
# Mail and Redis as the settings name them; ports of our own, and who comes to them.
SPEAKERS = {
    "school_portal/bell.py",
    "school_portal/cli/serve.py",
    "school_portal/demo/__main__.py",
    "school_portal/demo/keys.py",
    "school_portal/demo/soft_key.py",
    "school_portal/services/mail.py",
    "school_portal/web_worker.py",
}


def test_only_named_modules_speak_to_other_machines() -> None:
    found = {
        str(path.relative_to(ROOT))
        for folder in ("school_portal", "importers", "batch")
        for path in (ROOT / folder).rglob("*.py")
        if imported(path) & CLIENTS
    }
    assert found == SPEAKERS


def imported(path: Path) -> set[str]:
    """The packages that a module imports; `urllib.request` counts as `http`."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {"http" if name.startswith("urllib.request") else name.split(".")[0] for name in names}
