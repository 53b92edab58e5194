"""Zip containers, looked at before anything in them is trusted."""

import copy
import io
import re
import zipfile
import zlib
from collections.abc import Iterator, Mapping

from importers.limits import Limits, Refused

# In UTF-16 too, in which an entity would pass a search for ASCII.
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)|<\0!\0[DE]\0|\0<\0!\0[DE]")
_OVERLAP = 16
_ENCRYPTED_FLAG = 0x1
_CHUNK = 1 << 20
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    OSError,
    RuntimeError,
    ValueError,
)


class Archive:
    """The entries of a zip, none of which gives more than it claims to hold."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        """Raises Refused: damaged, password-protected, too many entries, or expanding too far."""
        self._data = data
        self._limits = limits
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(data))
        except _DAMAGED as error:
            raise Refused.because("file.unreadable", "压缩结构不完整") from error
        self.entries = [entry for entry in self._zip.infolist() if not entry.filename.endswith("/")]
        self._check_sizes()

    def _check_sizes(self) -> None:
        if any(entry.flag_bits & _ENCRYPTED_FLAG for entry in self.entries):
            raise Refused.because("file.encrypted")
        if len(self.entries) > self._limits.entries:
            raise Refused.because("file.unsafe", "内含文件过多")
        if sum(entry.file_size for entry in self.entries) > self._limits.expanded_bytes:
            raise Refused.because("file.unsafe", "解压后过大")
        for entry in self.entries:
            squeezed = max(entry.compress_size, 1)
            if (
                entry.file_size > self._limits.ratio_from_bytes
                and entry.file_size > squeezed * self._limits.ratio
            ):
                raise Refused.because("file.unsafe", "压缩比过高")

    def chunks(self, entry: zipfile.ZipInfo) -> Iterator[bytes]:
        """The entry's bytes, never more than the size that was checked."""
        try:
            with self._zip.open(entry) as stream:
                while chunk := stream.read(_CHUNK):
                    yield chunk
        except _DAMAGED as error:
            raise Refused.because("file.unreadable", "压缩内容已损坏") from error

    def read(self, entry: zipfile.ZipInfo) -> bytes:
        """The whole entry."""
        return b"".join(self.chunks(entry))

    def repacked(
        self, kept: Mapping[str, zipfile.ZipInfo], written: Mapping[str, bytes | str]
    ) -> bytes:
        """A zip of these entries alone, under these names, and of what is written beside them.

        Nothing is packed anew: the old bytes stay, under a new directory.
        """
        out = io.BytesIO(self._data)
        try:
            with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
                new.filelist[:] = [_renamed(entry, name) for name, entry in kept.items()]
                new.NameToInfo = {entry.filename: entry for entry in new.filelist}
                for name, content in written.items():
                    new.writestr(name, content)
        except _DAMAGED as error:
            raise Refused.because("file.unreadable", "压缩结构不完整") from error
        return out.getvalue()


def _renamed(entry: zipfile.ZipInfo, name: str) -> zipfile.ZipInfo:
    renamed = copy.copy(entry)
    renamed.filename, renamed.extra, renamed.comment = name, b"", b""
    return renamed


def plain_name(entry: zipfile.ZipInfo) -> str:
    """The entry's path as readers compare it: slashes, lower case, no leading slash."""
    return entry.filename.replace("\\", "/").lstrip("/").lower()


def refuse_declaration(block: bytes) -> None:
    """Raises Refused where the piece of XML declares a document type or entities."""
    # Plain searches come first: they take a tenth of the pattern's time.
    if (b"<!" in block or b"\0" in block) and _DECLARATION.search(block):
        raise Refused.because("file.unsafe", "含有实体定义")


def refuse_declarations(chunks: Iterator[bytes]) -> None:
    """The same for a part that comes in chunks."""
    tail = b""
    for chunk in chunks:
        refuse_declaration(tail + chunk)
        tail = chunk[-_OVERLAP:]
