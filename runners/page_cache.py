"""The system's memory of a weights file: how much of it is held, and how to have it forgotten. Needs no special rights.

A load reads from memory what the system still holds of the file (the page cache), so that the same load can take a
tenth of the time. Reads no content; where a system cannot tell, says None and drops nothing.
"""

import os
import re
from pathlib import Path

_PROBES = 256
"""Places of a file that are looked at."""
_PART = re.compile(r"-\d{5}-of-(\d{5})(?=\.[A-Za-z]+$)")


def weights_files(path: Path) -> tuple[Path, ...]:
    """The files that a load reads: one, all parts of a split one, or those of a folder; empty where there are none."""
    if path.is_dir():
        return tuple(sorted(file for file in path.iterdir() if file.is_file()))
    if not path.is_file():
        return ()
    part = _PART.search(path.name)
    if part is None:
        return (path,)
    pattern = f"{path.name[: part.start()]}-*-of-{part.group(1)}{path.name[part.end() :]}"
    return tuple(sorted(path.parent.glob(pattern)))


def cached_share(path: Path) -> float | None:
    """Share of the weights that the system holds in memory, from looking at up to 256 places of each file."""
    sizes: list[int] = []
    held: list[float] = []
    for file in weights_files(path):
        share = _cached_share_of(file)
        if share is None:
            return None
        sizes.append(file.stat().st_size)
        held.append(share * sizes[-1])
    return sum(held) / sum(sizes) if sum(sizes) else None


def drop_from_cache(path: Path) -> None:
    """Ask the system to forget the weights (POSIX_FADV_DONTNEED); it keeps pages that another process has mapped."""
    if not hasattr(os, "posix_fadvise"):
        return
    for file in weights_files(path):
        descriptor = os.open(file, os.O_RDONLY)
        try:
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        finally:
            os.close(descriptor)


def _cached_share_of(file: Path) -> float | None:
    size = file.stat().st_size
    if not hasattr(os, "preadv") or not hasattr(os, "RWF_NOWAIT") or not size:
        return None
    descriptor = os.open(file, os.O_RDONLY)
    try:
        places = sorted({number * size // _PROBES for number in range(_PROBES)})
        return sum(_is_held(descriptor, place) for place in places) / len(places)
    except OSError:
        # Not every file system can say what it would have to wait for.
        return None
    finally:
        os.close(descriptor)


def _is_held(descriptor: int, place: int) -> bool:
    """Whether a byte can be read without waiting for the disk."""
    try:
        return os.preadv(descriptor, [bytearray(1)], place, os.RWF_NOWAIT) == 1
    except BlockingIOError:
        return False
