"""The key ring's file: made once, for the owner alone, changed while processes run."""

from __future__ import annotations

import os
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from school_portal import config
from school_portal.config import KeyFile, Settings, SettingsError

KEYS = "SCHOOL_PORTAL_ENCRYPTION_KEYS"


def read(home: Path, **others: str) -> Settings:
    return config.read({"SCHOOL_PORTAL_HOME": str(home), **others})


def test_keys_are_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    made = read(tmp_path)
    assert read(tmp_path).encryption_keys == made.encryption_keys
    assert made.key_file is not None
    assert made.key_file.path.stat().st_mode & 0o777 == 0o600
    assert sorted(path.name for path in tmp_path.iterdir()) == ["encryption_keys", "secret_key"]


def test_processes_that_start_at_once_agree_on_the_keys(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: read(tmp_path).encryption_keys, range(16)))
    assert len(set(found)) == 1


def test_keys_of_the_environment_have_no_file(tmp_path: Path) -> None:
    given = read(tmp_path, **{KEYS: b64encode(bytes(32)).decode()})
    assert (given.encryption_keys, given.key_file) == ((bytes(32),), None)
    assert given.reload_encryption_keys() is None


@pytest.mark.parametrize(
    ("text", "keys"), [("one", ("one",)), ("new, old", ("new", "old")), ("a=,", ("a=",))]
)
def test_session_keys_of_the_environment(tmp_path: Path, text: str, keys: tuple[str, ...]) -> None:
    given = read(tmp_path, SCHOOL_PORTAL_SECRET_KEY=text)
    assert (given.session_keys, given.session_file) == (keys, None)


def test_a_new_session_key_forgets_all_but_the_one_before(tmp_path: Path) -> None:
    settings, seen = read(tmp_path), []
    for _ in range(3):
        seen.append(settings.session_keys[0])
        assert settings.session_file is not None
        settings.session_file.prepend(bytes(32), keeping=1)
    assert settings.session_keys[1:] == ("A" * 43 + "=",)
    assert read(tmp_path).session_keys == settings.session_keys


def test_a_new_key_stands_in_front_and_is_noticed_once(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert settings.reload_encryption_keys() is None
    fresh = bytes(range(32))
    KeyFile(tmp_path / "encryption_keys").prepend(fresh)
    assert settings.reload_encryption_keys() == (fresh, *settings.encryption_keys)
    assert settings.reload_encryption_keys() is None
    assert (tmp_path / "encryption_keys").stat().st_mode & 0o777 == 0o600


def test_rotations_at_once_lose_no_key(tmp_path: Path) -> None:
    first = read(tmp_path).encryption_keys
    fresh = [bytes([number]) * 32 for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(KeyFile(tmp_path / "encryption_keys").prepend, fresh))
    kept = read(tmp_path).encryption_keys
    assert sorted(kept[:-1]) == fresh
    assert kept[-1:] == first


@pytest.mark.parametrize("name", ["SECRET_KEY", "ENCRYPTION_KEYS"])
def test_with_postgresql_the_keys_are_the_operators(tmp_path: Path, name: str) -> None:
    read(tmp_path)  # keys of a trial with SQLite lie in the same folder
    given = {
        "SCHOOL_PORTAL_DATABASE_URL": "postgresql://localhost/portal",
        "SCHOOL_PORTAL_SECRET_KEY": "secret",
        KEYS: b64encode(bytes(32)).decode(),
    }
    del given[f"SCHOOL_PORTAL_{name}"]
    with pytest.raises(SettingsError, match=name):
        read(tmp_path, **given)


def test_keys_that_were_left_open_to_others_are_closed(tmp_path: Path) -> None:
    read(tmp_path)
    for name in ("encryption_keys", "secret_key"):
        (tmp_path / name).chmod(0o644)
    read(tmp_path)
    modes = {(tmp_path / name).stat().st_mode & 0o777 for name in ("encryption_keys", "secret_key")}
    assert modes == {0o600}


def test_keys_are_on_the_disk_with_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sealed under a key that a power cut took with it is lost."""
    synced: list[str] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name.partition("#")[0])
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    home = tmp_path / "home"
    read(home)
    made = [tmp_path.name, "encryption_keys", "home", "secret_key", "home"]
    assert synced == made
    KeyFile(home / "encryption_keys").prepend(bytes(32))
    assert synced == [*made, "encryption_keys", "home"]
