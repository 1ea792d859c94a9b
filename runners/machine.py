"""What this machine is: CPU, memory, GPUs. Asks the system once per call, starts no process."""

import os
import platform
import socket
from pathlib import Path

import psutil

from catalog.records import Machine
from runners.gpu import gpu_devices

_INSTRUCTION_SETS = (
    *("sse4_2", "avx", "avx2", "fma", "f16c", "avx_vnni"),
    *("avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16"),
    *("neon", "asimd", "sve"),
)
"""Those that llama.cpp has kernels for, as Linux names them."""

_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")


def probe_machine() -> Machine:
    """Describe this machine as it is now."""
    memory = psutil.virtual_memory()
    limit = _container_limit()
    total = min(memory.total, limit) if limit else memory.total
    available = min(memory.available, total)
    flags, model = _cpu_info()
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Machine(
        name=socket.gethostname(),
        cpu=model,
        instruction_sets=tuple(name for name in _INSTRUCTION_SETS if name in flags),
        physical_cores=psutil.cpu_count(logical=False),
        logical_cores=affinity,
        memory_total_bytes=total,
        memory_available_bytes=available,
        gpus=gpu_devices(),
        operating_system=f"{platform.system()} {platform.release()}",
        python=platform.python_version(),
    )


def _cpu_info() -> tuple[frozenset[str], str]:
    path = Path("/proc/cpuinfo")
    if not path.exists():
        return frozenset(), platform.processor() or platform.machine()
    fields: dict[str, str] = {}
    for line in path.read_text().splitlines():
        key, _, value = line.partition(":")
        fields.setdefault(key.strip(), value.strip())
    flags = frozenset((fields.get("flags") or fields.get("Features") or "").split())
    return flags, fields.get("model name") or fields.get("Model") or platform.machine()


def _container_limit() -> int | None:
    """Memory that the control group allows, where one is set."""
    if not _CGROUP_LIMIT.exists():
        return None
    text = _CGROUP_LIMIT.read_text().strip()
    return int(text) if text.isdigit() else None
