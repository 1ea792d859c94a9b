"""How fast this machine reads its main memory: measured once, because decoding on the CPU is bound by it.

Every thread finds the largest number of a buffer of its own, all at the same time, pass after pass for about a second;
the fastest pass counts, since whatever else runs on the machine can only slow a pass down. Reading dominates, as it
does when weights are read for a token. NumPy lets go of the interpreter's lock for the length of a pass.

What this under-estimates: machines whose cores together need more than one stream each to fill the memory channels;
machines with several memory nodes, because Python cannot pin its threads; and anything measured while others use the
machine. What it over-estimates: a buffer that still fits a shared cache of a larger host, which a virtual machine
cannot see past. It says nothing about GPUs: their bandwidth is in runners/gpu.py. Where the result is kept is not
decided here.
"""

import os
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import numpy as np
import psutil
from numpy.typing import NDArray

from runners.records import BandwidthMeasurement

MIB = 1024**2
BUFFER_BYTES = 1024 * MIB
"""About four times the largest shared cache of today's servers."""
METHOD = "fastest pass of numpy.max over float32, one buffer per thread, all threads at once"
MEMORY_SHARE = 4
"""At most this fraction (a quarter) of the free memory is taken."""


def measure_bandwidth(
    *, buffer_bytes: int = BUFFER_BYTES, seconds: float = 1.0, threads: int | None = None
) -> BandwidthMeasurement:
    """Read a buffer again and again for about `seconds` and return the best rate; never fewer than three passes.

    `buffer_bytes` is shared among the threads and shrinks to a quarter of the free memory on small machines. `threads`
    defaults to the processors that this process may use.
    """
    count = threads or _usable_processors()
    size = min(buffer_bytes, psutil.virtual_memory().available // MEMORY_SHARE)
    length = max(1, size // count // np.dtype(np.float32).itemsize)
    with ThreadPoolExecutor(count) as pool:
        # Each thread fills its own part: the system then places it in the memory nearest to that thread.
        buffers = list(pool.map(_filled, [length] * count))
        total = sum(buffer.nbytes for buffer in buffers)
        deadline = time.perf_counter() + seconds
        passes = [_one_pass(pool, buffers)]
        while len(passes) < 3 or time.perf_counter() < deadline:
            passes.append(_one_pass(pool, buffers))
    return BandwidthMeasurement(
        bytes_per_second=total / min(passes),
        method=METHOD,
        threads=count,
        buffer_bytes=total,
        measured_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _filled(length: int) -> NDArray[np.float32]:
    return np.ones(length, dtype=np.float32)


def _one_pass(pool: ThreadPoolExecutor, buffers: Sequence[NDArray[np.float32]]) -> float:
    """Seconds from the first thread's start to the last one's end; all wait for each other before they start."""
    barrier = Barrier(len(buffers))

    def read(buffer: NDArray[np.float32]) -> tuple[float, float]:
        barrier.wait()
        started = time.perf_counter()
        buffer.max()
        return started, time.perf_counter()

    spans = list(pool.map(read, buffers))
    return max(end for _, end in spans) - min(start for start, _ in spans)


def _usable_processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
