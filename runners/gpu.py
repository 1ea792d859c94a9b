"""The one door to NVIDIA's management library. Without an NVIDIA driver there are simply no GPUs."""

from collections.abc import Collection
from functools import cache

import pynvml

from catalog.records import GpuDevice


@cache
def _available() -> bool:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return False
    return True


def gpu_devices() -> tuple[GpuDevice, ...]:
    """Every GPU that the driver shows, with its memory now."""
    if not _available():
        return ()
    driver = _text(pynvml.nvmlSystemGetDriverVersion())
    devices = []
    for index in range(pynvml.nvmlDeviceGetCount()):
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        memory = pynvml.nvmlDeviceGetMemoryInfo(handle)
        name = _text(pynvml.nvmlDeviceGetName(handle))
        devices.append(GpuDevice(name=name, total_bytes=int(memory.total), free_bytes=int(memory.free), driver=driver))
    return tuple(devices)


def gpu_bytes_of(pids: Collection[int]) -> int | None:
    """GPU memory of these processes over all devices; None without a GPU or where the driver hides processes."""
    if not _available():
        return None
    used = []
    for index in range(pynvml.nvmlDeviceGetCount()):
        handle = pynvml.nvmlDeviceGetHandleByIndex(index)
        try:
            processes = pynvml.nvmlDeviceGetComputeRunningProcesses(handle)
        except pynvml.NVMLError:
            return None
        used += [p.usedGpuMemory for p in processes if p.pid in pids and p.usedGpuMemory is not None]
    return sum(used) if used else None


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
