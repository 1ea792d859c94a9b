"""Writing one file whole or not at all."""

import contextlib
import errno
import os
import secrets
from pathlib import Path

from workbench.report.errors import ReportNotWritten

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_atomically(path: Path, content: bytes) -> None:
    """Write the content beside the file, then put it in its place; a file that was there stays until then.

    Raises ReportNotWritten with what to do; nothing is left behind.
    """
    partial = path.parent / f".{path.stem[:32]}-{secrets.token_hex(4)}.part"
    try:
        with partial.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
    except OSError as error:
        raise ReportNotWritten(_why(path, error)) from error
    finally:
        with contextlib.suppress(OSError):
            partial.unlink()


def _why(path: Path, error: OSError) -> str:
    if error.errno in _NO_ROOM:
        return f"There is no room to write {path.name!r} into {path.parent}. Free some space, or choose another folder."
    if isinstance(error, FileNotFoundError):
        return f"The folder {path.parent} does not exist. Create it, or choose another."
    if isinstance(error, NotADirectoryError):
        return f"{path.parent} is not a folder. Choose another place for the report."
    if isinstance(error, IsADirectoryError):
        return f"{path} is a folder. Name a file for the report."
    if isinstance(error, PermissionError):
        return f"Writing into {path.parent} is not permitted. Choose another folder."
    return f"The report could not be written to {path}: {error.strerror or error}."
