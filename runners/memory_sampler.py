"""Memory of a process and everything it started, at one moment; the parent decides when to look.

PSS is what a look costs: the kernel walks every page that is mapped (1.6 ms for 270 MB of weights). So a MemoryWatch
reads it when memory has grown and else only as often as 1 % of a core allows; RSS is read every time. What watching
costs a run is measured by benchmarks/sampling.py.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from runners.gpu import gpu_bytes_of
from runners.records import MemorySample

GROWTH = 1.01
"""PSS is read again at once where RSS is this many times what it was at the highest reading."""
SHARE_OF_A_CORE = 0.01
"""What reading PSS may cost while memory stays as it is."""


class MemoryWatch:
    """Looks at one process tree again and again, and decides when PSS is worth its cost."""

    def __init__(self, pid: int, segment: int) -> None:
        self._pid = pid
        self._segment = segment
        self._highest_rss = 0
        self._next_pss_at = 0.0
        self.tree: list[psutil.Process] = []
        """The process and all below it, as last seen."""

    def sample(self, at_seconds: float) -> MemorySample | None:
        """One sample, with PSS where it is due; None when the process is gone."""
        started = time.perf_counter()
        try:
            self.tree = process_tree(self._pid)
        except psutil.NoSuchProcess:
            return None
        sample = None
        if started < self._next_pss_at:
            sample = _sample_tree(self.tree, segment=self._segment, at_seconds=at_seconds, with_pss=False)
        if sample is None or sample.rss_bytes > self._highest_rss * GROWTH:
            sample = _sample_tree(self.tree, segment=self._segment, at_seconds=at_seconds)
            now = time.perf_counter()
            self._next_pss_at = now + (now - started) / SHARE_OF_A_CORE
            if sample is not None:
                self._highest_rss = max(self._highest_rss, sample.rss_bytes)
        return sample


def sample_memory(pid: int, *, segment: int, at_seconds: float) -> MemorySample | None:
    """One sample of the tree below `pid`; None when the process is gone."""
    try:
        return _sample_tree(process_tree(pid), segment=segment, at_seconds=at_seconds)
    except psutil.NoSuchProcess:
        return None


def _sample_tree(
    tree: Sequence[psutil.Process], *, segment: int, at_seconds: float, with_pss: bool = True
) -> MemorySample | None:
    parts = [part for process in tree if (part := _of_process(process, with_pss=with_pss)) is not None]
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


def process_tree(pid: int) -> list[psutil.Process]:
    """A process and all below it. Asks the kernel for children where it tells them, else goes through every process."""
    root = psutil.Process(pid)
    if not Path(f"/proc/{pid}/task/{pid}/children").exists():
        return [root, *root.children(recursive=True)]
    tree, pending = [root], [pid]
    while pending:
        for child in _children(pending.pop()):
            try:
                tree.append(psutil.Process(child))
            except psutil.NoSuchProcess:
                continue
            pending.append(child)
    return tree


def _children(pid: int) -> list[int]:
    found: list[int] = []
    for file in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            found += [int(number) for number in file.read_text().split()]
        except OSError:
            # The thread has ended.
            continue
    return found


def _of_process(process: psutil.Process, *, with_pss: bool) -> _Part | None:
    try:
        rss = process.memory_info().rss
    except psutil.Error:
        return None
    folder = Path("/proc") / str(process.pid)
    status = _kilobyte_fields(folder / "status")
    return _Part(
        rss=rss,
        pss=_kilobyte_fields(folder / "smaps_rollup").get("Pss") if with_pss else None,
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
