"""What is wrong with the results file, read from the database's messages and said in sentences for the person.

Pure text: nothing here opens the file. The only thing looked up is the command line of the process that holds it.
"""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path

_LOCKED = ("could not set lock", "conflicting lock", "being used by another process", "file is already open in")
_NOT_WRITABLE = (
    "permission denied",
    "no space left",
    "disk quota",
    "read-only file system",
    "is a directory",
    "no such file or directory",
    "cannot open file",
    "could not write",
    "input/output error",
)


def is_locked(message: str) -> bool:
    """Whether a message of the database says that another process holds the file."""
    return any(words in message.lower() for words in _LOCKED)


def is_not_writable(message: str) -> bool:
    """Whether a message of the database says that the file system refuses."""
    return any(words in message.lower() for words in _NOT_WRITABLE)


def busy(path: Path, message: str, waited_seconds: float) -> str:
    """Sentence for StoreBusy, naming the holder by pid and command line where they can be told."""
    held = f"The results file {path} is in use by {_holder(message)}; waited {waited_seconds:g} s for it."
    return f"{held} Close that program, or try again when it has finished. Nothing was changed."


def damaged(path: Path, message: str) -> str:
    """Sentence for StoreDamaged where the file does not open or does not read."""
    return f"The results file {path} cannot be read as a database: {_first_line(message)} It was left as it is. {_NEXT}"


def does_not_parse(path: Path, message: str) -> str:
    """Sentence for StoreDamaged where a stored record is not one."""
    return (
        f"The results file {path} holds a record that this version does not understand: {_first_line(message)} "
        f"It was left as it is; it may come from another version of the workbench. {_NEXT}"
    )


def newer(path: Path, number: int, known: int) -> str:
    """Sentence for StoreDamaged where a newer version made the file."""
    return (
        f"The results file {path} was made by a newer version of the workbench (schema {number}, this version knows "
        f"up to {known}). Update the workbench, or name another data directory. The file was left as it is."
    )


def foreign(path: Path, tables: list[str]) -> str:
    """Sentence for StoreDamaged where the file is a database of something else."""
    named = ", ".join(tables[:3])
    return (
        f"{path} is a database, but not a results file of the workbench (it holds {named}). "
        "Name another data directory. The file was left as it is."
    )


def migration_failed(path: Path, name: str, message: str) -> str:
    """Sentence for StoreDamaged where a migration does not go through."""
    return (
        f"The results file {path} could not be brought to the schema of {name}: {_first_line(message)} "
        f"The file is as it was before. Open it with the version of the workbench that wrote it. {_NEXT}"
    )


def not_writable(path: Path, message: str) -> str:
    """Sentence for StoreNotWritable."""
    return (
        f"The results file {path} cannot be opened or written: {_first_line(message)} "
        "Check the permissions and the free space of its folder, or name another data directory."
    )


def unknown(kind: str, name: str, names: Sequence[str]) -> str:
    """Sentence for a name that is not there, with close matches."""
    return f"There is no {kind} {name!r}. {nearest(name, names, 'None is stored yet; run one first.')}"


def nearest(name: str, names: Sequence[str], none: str) -> str:
    """What to do about a name that is not there: the closest ones, else some that are, else `none`."""
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.5)
    if close:
        return f"Did you mean {' or '.join(repr(other) for other in close)}?"
    if names:
        return f"There is {', '.join(repr(other) for other in names[:5])}{' …' if len(names) > 5 else ''}."
    return none


_NEXT = "To go on, restore a backup of it, or move it away so that a new one is made."


def _holder(message: str) -> str:
    found = re.search(r"\(PID (\d+)\)", message)
    if found is None:
        return "another program, or by another part of this one"
    pid = int(found.group(1))
    command = _command_line(pid)
    if command is None:
        program = re.search(r"held in (.+?) \(PID", message)
        command = program.group(1) if program else None
    return f"process {pid}" + (f" ({command})" if command else "")


def _command_line(pid: int) -> str | None:
    """What a process was started as, where the system tells (Linux), at most 200 characters."""
    try:
        parts = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return None
    text = " ".join(part.decode("utf-8", "replace") for part in parts if part)
    return text[:200] or None


def _first_line(message: str) -> str:
    line = message.strip().splitlines()[0].strip() if message.strip() else "no reason given"
    return line if line.endswith((".", "!")) else f"{line}."
