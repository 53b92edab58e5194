"""Workbooks that open without a question: encrypted with the password that Excel itself tries.

“Protect workbook” of old versions, and files that are to be opened read-only, are kept so.
"""

import io
from types import SimpleNamespace

from importers.limits import Refused

_DEFAULT_PASSWORD = "VelvetSweatshop"  # noqa: S105 - known to everybody


def with_default_password(data: bytes) -> bytes:
    """The workbook in clear; raises Refused (`file.encrypted`) where it has another password."""
    # Few files need it, and a child starts for every file.
    from msoffcrypto import OfficeFile  # noqa: PLC0415
    from msoffcrypto.format import xls97  # noqa: PLC0415

    # It copies through a temporary file; nothing of a roster touches a disk, nor may the child.
    xls97.tempfile = SimpleNamespace(TemporaryFile=io.BytesIO)
    out = io.BytesIO()
    try:
        file = OfficeFile(io.BytesIO(data))
        file.load_key(password=_DEFAULT_PASSWORD)
        file.decrypt(out)
    except Exception as error:  # whatever its parsers raise
        raise Refused.because("file.encrypted") from error
    return out.getvalue()
