"""Uploads on their way in: what reaches the disk of them."""

from __future__ import annotations

import io
import secrets
from pathlib import Path
from typing import IO, Any

import pytest
from flask import Flask, request

from school_portal.blueprints import incoming
from school_portal.blueprints.incoming import MOST_IN_MEMORY, SealedSpool

CONTENT = b"310104200001010026" * 60_000


@pytest.fixture
def on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where what is written to temporary files can be looked at."""
    path = tmp_path / "spool"

    def file() -> IO[bytes]:
        return path.open("w+b")

    monkeypatch.setattr(incoming, "TemporaryFile", file)
    return path


@pytest.fixture
def portal() -> Flask:
    app = Flask(__name__)
    incoming.register(app)

    @app.post("/<word>")
    def receive(word: str) -> dict[str, Any]:
        file = request.files.get("file")
        return {"read": bool(file and file.read() == CONTENT), **request.args, **request.form}

    return app


def test_a_large_upload_lies_sealed_on_the_disk(portal: Flask, on_disk: Path) -> None:
    answer = portal.test_client().post("/a", data={"file": (io.BytesIO(CONTENT), "名册.csv")})
    assert answer.json == {"read": True}
    kept = on_disk.read_bytes()
    assert len(kept) == len(CONTENT) > MOST_IN_MEMORY
    assert b"310104" not in kept


def test_a_small_upload_needs_no_disk(portal: Flask, on_disk: Path) -> None:
    portal.test_client().post("/a", data={"file": (io.BytesIO(CONTENT[:1000]), "名册.csv")})
    assert not on_disk.exists()


def test_it_reads_as_it_was_written_from_anywhere() -> None:
    content = secrets.token_bytes(100_003)
    with io.BufferedRandom(SealedSpool(), 4096) as file:
        for start in range(0, len(content), 977):
            file.write(content[start : start + 977])
        for place in (0, 1, 15, 16, 4097, 99_999, len(content), len(content) + 40):
            file.seek(place)
            assert file.read(5000) == content[place : place + 5000]
        assert file.seek(-3, io.SEEK_END) == len(content) - 3
        assert file.read() == content[-3:]
        file.seek(0)
        assert file.readline() == content[: content.find(b"\n") + 1]


def test_two_texts_never_share_a_key_stream(on_disk: Path) -> None:
    sealed = []
    for _ in range(2):
        SealedSpool().write(bytes(64))
        sealed.append(on_disk.read_bytes())
    assert sealed[0] != sealed[1]
    spool = SealedSpool()
    spool.write(b"once")
    spool.seek(0)
    with pytest.raises(io.UnsupportedOperation):
        spool.write(b"more")


def test_fields_hold_characters_alone(portal: Flask) -> None:
    answer = portal.test_client().post("/a?q=%00%ED%A0%80a%0B", data={"te\x1fxt": "一\r\n二\x00"})
    assert answer.json == {"read": False, "q": "%ED%A0%80a", "text": "一\r\n二"}


@pytest.mark.parametrize("word", ["%00", "a%0Ab", "a%7F", "%C2%85"])
def test_a_word_that_no_keyboard_makes_is_no_address(portal: Flask, word: str) -> None:
    assert portal.test_client().post(f"/{word}").status_code == 404
    assert portal.test_client().post("/%E5%90%8D").status_code == 200
