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
        bandwidth = _bandwidth(handle)
        device = GpuDevice(
            name=name,
            total_bytes=int(memory.total),
            free_bytes=int(memory.free),
            driver=driver,
            bandwidth_bytes_per_second=bandwidth,
            bandwidth_source=None if bandwidth is None else "highest memory clock × bus width, from the driver",
        )
        devices.append(device)
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


def gpu_energy_joules() -> float | None:
    """Energy that all GPUs have used since their driver was loaded; None without a GPU that counts it."""
    if not _available():
        return None
    millijoules = []
    for index in range(pynvml.nvmlDeviceGetCount()):
        try:
            millijoules.append(pynvml.nvmlDeviceGetTotalEnergyConsumption(pynvml.nvmlDeviceGetHandleByIndex(index)))
        except pynvml.NVMLError:
            # Cards before Volta have no such counter, and a sum without one card would be wrong.
            return None
    return sum(millijoules) / 1000 if millijoules else None


def _bandwidth(handle: object) -> float | None:
    """Peak memory bandwidth: highest memory clock × bus width; None where the driver tells either not.

    NVML gives half the transfer rate as the clock for every kind of memory (an H100 answers 2,619 MHz and 5,120 bits:
    2 × 2,619 MHz × 640 bytes = 3.35 TB/s, as its data sheet says). It is a ceiling, not a measurement.
    """
    try:
        megahertz = pynvml.nvmlDeviceGetMaxClockInfo(handle, pynvml.NVML_CLOCK_MEM)
        bits = pynvml.nvmlDeviceGetMemoryBusWidth(handle)
    except pynvml.NVMLError:
        return None
    return 2 * megahertz * 1e6 * bits / 8 or None


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value
