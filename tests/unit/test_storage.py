"""Files: what was put comes back, and nothing else does."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from obstore.store import MemoryStore

from school_portal import private, storage, streams
from school_portal.config import SettingsError
from school_portal.security.cipher import KeyRing, Unreadable, key_id
from school_portal.storage import Storage, StorageFailed
from school_portal.streams import TooLarge

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
LIMIT = 10_000
CHUNK = 64
SEALED_CHUNK = CHUNK + 16
HEAD = 4 + 32
CONTENTS = [b"", b"x", b"x" * (CHUNK - 1), b"x" * CHUNK, b"y" * (CHUNK + 1), b"z" * CHUNK * 3]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (storage, streams):
        monkeypatch.setattr(module, "CHUNK_SIZE", CHUNK)


@pytest.fixture
def files(tmp_path: Path) -> Storage:
    return Storage((tmp_path / "a folder").as_uri(), KeyRing([NEW, OLD]))


def path_of(tmp_path: Path, key: str) -> Path:
    return tmp_path / "a folder" / key


class Dribble(io.BytesIO):
    """A network stream: never as much as was asked for."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(size or 0, 7))


@pytest.mark.parametrize("content", CONTENTS)
@pytest.mark.parametrize("stream", [io.BytesIO, Dribble])
def test_a_file_comes_back(files: Storage, content: bytes, stream: type[io.BytesIO]) -> None:
    stored = files.put(stream(content), LIMIT)
    assert (stored.size, stored.sha256) == (len(content), sha256(content).hexdigest())
    with files.open(stored.key) as file:
        assert file.read() == content
    with files.open(stored.key) as file:
        assert b"".join(iter(lambda: file.read(5), b"")) == content


def test_nothing_of_the_content_is_on_the_disk(files: Storage, tmp_path: Path) -> None:
    content = b"310104200001010026 " * 20
    stored = files.put(io.BytesIO(content), LIMIT)
    for path in tmp_path.rglob("*"):
        assert b"310104" not in (path.read_bytes() if path.is_file() else b"")
        assert "310104" not in path.name
    assert path_of(tmp_path, stored.key).stat().st_size > len(content)


def test_the_same_content_is_kept_twice_under_two_names(files: Storage) -> None:
    first, second = (files.put(io.BytesIO(b"same"), LIMIT) for _ in range(2))
    assert first.key != second.key
    assert sorted(files.names()) == sorted([first.key, second.key])


@pytest.mark.parametrize(("size", "fits"), [(LIMIT, True), (LIMIT + 1, False), (LIMIT * 9, False)])
def test_the_limit_holds_to_the_byte(files: Storage, tmp_path: Path, size: int, fits: bool) -> None:
    if fits:
        assert files.put(io.BytesIO(b"x" * size), LIMIT).size == size
        return
    with pytest.raises(TooLarge) as refusal:
        files.put(io.BytesIO(b"x" * size), LIMIT)
    assert refusal.value.limit == LIMIT
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@settings(max_examples=60)
@given(st.integers(0, CHUNK * 4), st.data())
def test_a_file_cut_off_anywhere_does_not_open(
    tmp_path_factory: pytest.TempPathFactory, size: int, data: st.DataObject
) -> None:
    tmp_path = tmp_path_factory.mktemp("cut")
    files = Storage((tmp_path / "a folder").as_uri(), KeyRing([NEW]))
    path = path_of(tmp_path, key := files.put(io.BytesIO(b"x" * size), LIMIT).key)
    sealed = path.read_bytes()
    path.write_bytes(sealed[: data.draw(st.integers(0, len(sealed) - 1))])
    with pytest.raises(Unreadable), files.open(key) as file:
        file.read()


@settings(max_examples=60)
@given(st.integers(0, CHUNK * 4), st.data())
def test_a_flipped_bit_anywhere_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, size: int, data: st.DataObject
) -> None:
    tmp_path = tmp_path_factory.mktemp("flip")
    files = Storage((tmp_path / "a folder").as_uri(), KeyRing([NEW, OLD]))
    path = path_of(tmp_path, key := files.put(io.BytesIO(b"x" * size), LIMIT).key)
    sealed = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, len(sealed) * 8 - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    path.write_bytes(sealed)
    with pytest.raises(Unreadable), files.open(key) as file:
        file.read()


@pytest.mark.parametrize(
    "order",
    [
        pytest.param([1, 0, 2], id="reordered"),
        pytest.param([0, 2], id="one removed"),
        pytest.param([0, 1, 2, 2], id="last doubled"),
        pytest.param([0, 1], id="whole chunks cut off"),
        pytest.param([0, 0, 2], id="one replaced by another"),
    ],
)
def test_chunks_stay_where_they_are(files: Storage, tmp_path: Path, order: list[int]) -> None:
    key = files.put(io.BytesIO(b"a" * CHUNK + b"b" * CHUNK + b"c" * CHUNK), LIMIT).key
    path = path_of(tmp_path, key)
    head, body = path.read_bytes()[:HEAD], path.read_bytes()[HEAD:]
    chunks = [body[start : start + SEALED_CHUNK] for start in range(0, len(body), SEALED_CHUNK)]
    path.write_bytes(head + b"".join(chunks[number] for number in order))
    with pytest.raises(Unreadable), files.open(key) as file:
        file.read()


def test_files_cannot_change_places(files: Storage, tmp_path: Path) -> None:
    first, second = (files.put(io.BytesIO(content), LIMIT).key for content in (b"one", b"two"))
    path_of(tmp_path, first).write_bytes(path_of(tmp_path, second).read_bytes())
    with pytest.raises(Unreadable), files.open(first) as file:
        file.read()


def test_what_is_not_there(files: Storage) -> None:
    key = files.put(io.BytesIO(b"x"), LIMIT).key
    files.delete(key)
    files.delete(key)
    for use in (files.open, files.key_id):
        with pytest.raises(FileNotFoundError):
            use(key)


def test_resealing_keeps_name_and_content(tmp_path: Path) -> None:
    url = (tmp_path / "a folder").as_uri()
    key = Storage(url, KeyRing([OLD])).put(io.BytesIO(b"x" * 200), LIMIT).key
    files = Storage(url, KeyRing([NEW, OLD]))
    assert files.key_id(key) == key_id(OLD)
    files.reseal(key)
    assert files.key_id(key) == key_id(NEW)
    with Storage(url, KeyRing([NEW])).open(key) as file:
        assert file.read() == b"x" * 200


def test_resealing_a_damaged_file_leaves_it_as_it_is(tmp_path: Path) -> None:
    url = (tmp_path / "a folder").as_uri()
    key = Storage(url, KeyRing([OLD])).put(io.BytesIO(b"x" * 200), LIMIT).key
    path = path_of(tmp_path, key)
    path.write_bytes(damaged := path.read_bytes()[:-1])
    with pytest.raises(Unreadable):
        Storage(url, KeyRing([NEW, OLD])).reseal(key)
    assert path.read_bytes() == damaged


def test_the_probe_leaves_nothing(files: Storage) -> None:
    files.probe()
    assert list(files.names()) == []


@pytest.mark.parametrize(
    "url", ["/tmp/files", "http://example.org/", "memory:///", "s3://", "file://"]
)
def test_an_address_that_is_none_names_the_setting(url: str) -> None:
    with pytest.raises(SettingsError, match="SCHOOL_PORTAL_STORAGE_URL"):
        Storage(url, KeyRing([NEW]))


def test_what_was_put_is_on_the_disk_with_its_name(
    files: Storage, tmp_path: Path, synced: Callable[[], list[Path]]
) -> None:
    """Whoever pulls the plug after that finds it: a receipt says that it was accepted."""
    key = files.put(io.BytesIO(b"x"), LIMIT).key
    made_in, draft, folder = synced()
    path = path_of(tmp_path, key)
    assert draft.name.startswith(f"{path.name}{private.DRAFT_MARK}")
    assert (made_in, folder) == (path.parent.parent, path.parent)
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700

    files.reseal(key)
    draft, folder = synced()
    assert draft.name.startswith(f"{path.name}{private.DRAFT_MARK}")
    assert folder == path.parent


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[Path]]:
    """What the disk was asked to keep since the last look, in order."""
    seen: list[Path] = []
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        seen.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        fsync(descriptor)

    def look() -> list[Path]:
        found, seen[:] = seen[:], []
        return found

    monkeypatch.setattr(os, "fsync", noted)
    return look


def test_a_name_is_never_overwritten(files: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage.secrets, "token_hex", lambda _: "ab" * 20)
    key = files.put(io.BytesIO(b"first"), LIMIT).key
    with pytest.raises(StorageFailed):
        files.put(io.BytesIO(b"second"), LIMIT)
    with files.open(key) as file:
        assert file.read() == b"first"
    assert list(files.names()) == [key]


def test_folders_of_earlier_versions_are_closed(tmp_path: Path) -> None:
    folder = tmp_path / "a folder"
    (folder / "ab").mkdir(parents=True)
    others = folder / "somebody's"
    others.mkdir()
    for path in (folder, folder / "ab", others):
        path.chmod(0o755)
    Storage(folder.as_uri(), KeyRing([NEW]))
    modes = [path.stat().st_mode & 0o777 for path in (folder / "ab", others, folder)]
    assert modes == [0o700, 0o755, 0o755]


def test_what_a_killed_writer_left_is_no_file_and_goes_in_time(
    files: Storage, tmp_path: Path
) -> None:
    key = files.put(io.BytesIO(b"x"), LIMIT).key
    path = path_of(tmp_path, key)
    old, fresh = (path.with_name(f"{path.name}#{number}") for number in (1, 2))
    for draft in (old, fresh):
        draft.write_bytes(b"half")
    for aged in (old, path):
        os.utime(aged, (0, 0))
    assert list(files.names()) == files.names_older_than(timedelta(days=1)) == [key]
    files.drop_drafts(timedelta(days=1))
    assert sorted(path.parent.iterdir()) == sorted([path, fresh])


def test_a_store_that_is_no_folder(files: Storage) -> None:
    files._store, files._folder = MemoryStore(), None
    key = files.put(io.BytesIO(b"x"), LIMIT).key
    files.reseal(key)
    with files.open(key) as file:
        assert file.read() == b"x"
    assert files.names_older_than(timedelta(days=1)) == []
    assert files.names_older_than(timedelta(days=-1)) == [key]
    files.drop_drafts(timedelta(days=-1))
    assert list(files.names()) == [key]
