"""Workbooks of the old binary formats, record by record, and the containers that hold them."""

import io
import struct
from collections.abc import Iterable
from hashlib import md5

import olefile
from msoffcrypto.format.ooxml import OOXMLFile
from msoffcrypto.method.rc4 import DocumentRC4

from tests.files.rosters import Cells

DEFAULT_PASSWORD = "VelvetSweatshop"
_BLOCK = 1024
# Records that stay in clear: BOF, FILEPASS, INTERFACEHDR.
_IN_CLEAR = (0x0809, 0x002F, 0x00E1)


def compound(streams: dict[str, bytes], storages: Iterable[str] = ()) -> bytes:
    """An OLE container with these streams, each kept in sectors of its own."""
    free, end, fat_mark = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    table: list[int] = [fat_mark]
    sectors: list[bytes] = []

    def place(content: bytes) -> int:
        count = max(1, -(-len(content) // 512))
        start = len(table)
        table.extend([*range(start + 1, start + count), end])
        sectors.append(content.ljust(count * 512, b"\0"))
        return start

    listed = [(name, 1, 0, 0) for name in storages]
    for name, content in streams.items():
        padded = content.ljust(4096, b"\0")
        listed.append((name, 2, place(padded), len(padded)))
    # The root leads to the first, and each to the next.
    entries = [_entry("Root Entry", 5, end, 0, child=1)]
    for number, entry in enumerate(listed, 1):
        entries.append(_entry(*entry, following=number + 1 if number < len(listed) else free))
    directory = place(b"".join(entries))
    table.extend([free] * (128 - len(table)))
    head = struct.pack(
        "<8s16sHHHHH6sIIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        bytes(16),
        0x3E,
        3,
        0xFFFE,
        9,
        6,
        bytes(6),
        0,
        1,
        directory,
        0,
        4096,
        end,
        0,
        end,
        0,
        0,
    )
    head += struct.pack("<108I", *([free] * 108))
    return head[:512].ljust(512, b"\xff") + struct.pack("<128I", *table) + b"".join(sectors)


def _entry(
    name: str,
    kind: int,
    start: int,
    size: int,
    child: int = 0xFFFFFFFF,
    following: int = 0xFFFFFFFF,
) -> bytes:
    raw = name.encode("utf-16-le") + b"\0\0"
    links = (0xFFFFFFFF, following, child)
    return struct.pack("<64sHBBIII36xIQ", raw, len(raw), kind, 1, *links, start, size)


def record(kind: int, body: bytes = b"") -> bytes:
    """A BIFF record."""
    return struct.pack("<HH", kind, len(body)) + body


BOF = record(0x0809, struct.pack("<HHHHII", 0x0600, 5, 0, 0, 0, 0))
EOF = record(0x000A)


def xls_of(*globals_: bytes, storages: Iterable[str] = ()) -> bytes:
    """An old workbook with these records in its globals."""
    return compound({"Workbook": BOF + b"".join(globals_) + EOF}, storages)


def xls_with_password() -> bytes:
    """Protected as old Excel did."""
    return xls_of(record(0x002F, bytes(6)))


def xls_with_macros() -> bytes:
    """With a macro project."""
    return xls_of(storages=["_VBA_PROJECT_CUR"])


def xls_with_macro_sheet() -> bytes:
    """With a sheet of Excel 4 macros."""
    return xls_of(record(0x0085, struct.pack("<IBB", 0, 0, 1) + b"\x01\0A"))


def xls_with_link() -> bytes:
    """With a reference to another workbook."""
    return xls_of(record(0x01AE, struct.pack("<HH", 1, 12) + b"\0http://e.com"))


def encrypted_package() -> bytes:
    """A new workbook with a password: an OLE container."""
    return compound({"EncryptionInfo": b"\4\0\4\0", "EncryptedPackage": bytes(5000)})


def workbook_stream(data: bytes) -> bytes:
    """The records of an xls."""
    return olefile.OleFileIO(io.BytesIO(data)).openstream("Workbook").read()


def with_stream(change: bytes | bytearray) -> bytes:
    """An xls of these records."""
    return compound({"Workbook": bytes(change)})


def records(stream: bytes | bytearray) -> Iterable[tuple[int, int, int]]:
    """(kind, where the data begins, length) of every record."""
    at = 0
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        yield kind, at + 4, length
        at += 4 + length


def changed(data: bytes, kind: int, change: bytes, offset: int = 0) -> bytes:
    """An xls with these bytes at this place in every record of the kind."""
    stream = bytearray(workbook_stream(data))
    for found, at, _ in list(records(bytes(stream))):
        if found == kind:
            stream[at + offset : at + offset + len(change)] = change
    return with_stream(stream)


def biff5(
    cells: Cells, codepage: int | None = 936, encoding: str = "gbk", title: str = "名册"
) -> bytes:
    """A workbook of Excel 5: each text in the system's code page."""
    name = title.encode(encoding)
    body = record(0x0809, struct.pack("<HHHH", 0x0500, 0x10, 0, 0))
    for row, values in enumerate(cells):
        for column, value in enumerate(values):
            text = str(value).encode(encoding)
            body += record(0x0204, struct.pack("<HHHH", row, column, 0, len(text)) + text)
    head = record(0x0809, struct.pack("<HHHH", 0x0500, 5, 0, 0))
    if codepage is not None:
        head += record(0x0042, struct.pack("<H", codepage))
    sheet_at = len(head) + 4 + 7 + len(name) + 4
    head += record(0x0085, struct.pack("<IBBB", sheet_at, 0, 0, len(name)) + name)
    return compound({"Book": head + record(0x000A) + body + record(0x000A)})


def locked_xls(data: bytes, password: str = DEFAULT_PASSWORD) -> bytes:
    """The xls encrypted as Excel 97 did (RC4, 40 bits)."""
    salt = verifier = bytes(range(16))
    proof = verifier + md5(verifier, usedforsecurity=False).digest()
    sealed = DocumentRC4.decrypt(password, salt, io.BytesIO(proof), _BLOCK).read()
    lock = record(0x002F, struct.pack("<HHH", 1, 1, 1) + salt + sealed)
    stream = workbook_stream(data)
    _, at, length = next(iter(records(stream)))
    stream = stream[: at + length] + lock + stream[at + length :]
    clear = bytearray(stream)
    for kind, at, _ in list(records(bytes(stream))):
        if kind == 0x0085:
            (start,) = struct.unpack_from("<I", clear, at)
            struct.pack_into("<I", clear, at, start + len(lock))
    sealed = DocumentRC4.decrypt(password, salt, io.BytesIO(bytes(clear)), _BLOCK).read()
    out = bytearray(sealed)
    for kind, at, length in list(records(bytes(clear))):
        kept = length if kind in _IN_CLEAR else 4 if kind == 0x0085 else 0
        out[at - 4 : at + kept] = clear[at - 4 : at + kept]
    return with_stream(out)


def locked_xlsx(data: bytes, password: str = DEFAULT_PASSWORD) -> bytes:
    """The xlsx encrypted as Excel does since 2010."""
    out = io.BytesIO()
    OOXMLFile(io.BytesIO(data)).encrypt(password, out)
    return out.getvalue()
