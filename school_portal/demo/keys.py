"""The demonstration's CA and its schools' software keys, in a folder of the home."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from school_portal.cli.processes import python
from school_portal.config import AGENT_PORT, KEY_ID_OID, PREFIX
from school_portal.demo import ca_folder, soft_key
from school_portal.demo.operation import KEYS

PIN = "123456"  # it protects nothing: the keys lie beside their PKCS #12, and open invented data


def make(folder: Path, now: datetime) -> None:
    """The CA, and a PKCS #12 for each school's keyID, where they are not there yet."""
    if folder.exists():
        return
    made = folder.with_name(folder.name + ".new")
    for _ in ca_folder.make(made, KEYS.values(), KEY_ID_OID, now):
        pass
    for number, name in enumerate(KEYS, 1):
        certificate, key = (made / f"key-{number}-rsa.{end}" for end in ("pem", "key"))
        file = made / f"{name}.p12"
        file.write_bytes(soft_key.pack(certificate.read_bytes(), key.read_bytes(), PIN))
        file.chmod(0o600)
    made.rename(folder)


def settings(folder: Path, port: int) -> Mapping[str, str]:
    """What the environment of the portal's processes says of them; the agent listens there."""
    return {
        f"{PREFIX}CA_BUNDLE": str(folder / ca_folder.BUNDLE),
        f"{PREFIX}CA_CRLS": str(folder / ca_folder.CRLS),
        f"{PREFIX}KEY_AGENT": f"soft-key http://127.0.0.1:{port}",
    }


def agent(folder: Path, port: int, site: str) -> list[str]:
    """The agent's command, for pages of the site by either name of this machine."""
    origins = (site, site.replace("127.0.0.1", "localhost"))
    return python(
        "school_portal.cli",
        *("soft-key", "serve", "--port", str(port)),
        *(part for origin in origins for part in ("--origin", origin)),
        *(str(folder / f"{name}.p12") for name in KEYS),
    )


def free_port() -> int:
    """The agent's own, or another where somebody listens on it."""
    for port in (AGENT_PORT, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            found: int = probe.getsockname()[1]
            return found
    raise OSError("no free port")
