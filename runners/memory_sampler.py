"""Memory of a process and everything it started, at one moment. Keeps nothing; the parent decides when to look."""

from pathlib import Path

import psutil

from runners.gpu import gpu_bytes_of
from runners.records import MemorySample


def sample_memory(pid: int, *, segment: int, at_seconds: float) -> MemorySample | None:
    """One sample of the tree below `pid`; None when the process is gone."""
    try:
        root = psutil.Process(pid)
        tree = [root, *root.children(recursive=True)]
    except psutil.NoSuchProcess:
        return None
    parts = [part for process in tree if (part := _of_process(process)) is not None]
    if not parts:
        return None
    return MemorySample(
        segment=segment,
        at_seconds=at_seconds,
        rss_bytes=sum(part.rss for part in parts),
        pss_bytes=_sum([part.pss for part in parts]),
        mapped_file_bytes=_sum([part.mapped for part in parts]),
        gpu_bytes=gpu_bytes_of([process.pid for process in tree]),
        high_water_bytes=_sum([part.high_water for part in parts]),
        processes=len(parts),
    )


class _Part:
    """Memory of one process, in bytes."""

    def __init__(self, rss: int, pss: int | None, mapped: int | None, high_water: int | None) -> None:
        self.rss = rss
        self.pss = pss
        self.mapped = mapped
        self.high_water = high_water


def _of_process(process: psutil.Process) -> _Part | None:
    try:
        rss = process.memory_info().rss
    except psutil.Error:
        return None
    folder = Path("/proc") / str(process.pid)
    status = _kilobyte_fields(folder / "status")
    return _Part(
        rss=rss,
        pss=_kilobyte_fields(folder / "smaps_rollup").get("Pss"),
        mapped=status.get("RssFile"),
        high_water=status.get("VmHWM"),
    )


def _kilobyte_fields(path: Path) -> dict[str, int]:
    """Lines such as `Pss:  123 kB` in bytes; empty where the system has no such file or refuses it."""
    try:
        lines = path.read_text().splitlines()
    except OSError:
        return {}
    fields = {}
    for line in lines:
        key, _, value = line.partition(":")
        number, _, unit = value.strip().partition(" ")
        if unit == "kB":
            fields[key] = int(number) * 1024
    return fields


def _sum(values: list[int | None]) -> int | None:
    known = [value for value in values if value is not None]
    return sum(known) if len(known) == len(values) else None
